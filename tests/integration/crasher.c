/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crasher [thread | busy] HOW [SIGNAL]: a foreign program for 46-crashed-init.test. It dies the way
 * HOW says, or it sleeps the way HOW says, with a look as much like the dead as a program can have.
 * "thread" does it in a second thread while the first one waits for it, "busy" while two others
 * compute.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *how;
static int sig;

/* --- dying ---------------------------------------------------------------------------------- */

static void segv(void)
{
	static volatile int *volatile where = (int *)8;

	*where = 1;
}

static void jump(void)
{
	((void (*)(void))8)();
}

static void ill(void)
{
#if defined(__aarch64__)
	__asm__ volatile(".word 0");
#elif defined(__s390x__)
	__asm__ volatile(".long 0");
#elif defined(__riscv)
	__asm__ volatile(".word 0");
#elif defined(__x86_64__)
	__asm__ volatile("ud2");
#else
#error "no illegal instruction is known for this processor"
#endif
}

static void trap(void)
{
#if defined(__aarch64__)
	__asm__ volatile("brk #0");
#elif defined(__s390x__)
	__asm__ volatile(".short 0x0001");
#elif defined(__riscv)
	__asm__ volatile("ebreak");
#else
	__asm__ volatile("int3");
#endif
}

/* Not every processor divides by zero with a fault. */
static void fpe(void)
{
	volatile int zero = 0, seven = 7;

	seven = seven / zero;
	kill(getpid(), SIGFPE);
}

static void bus(void)
{
	char name[] = "/tmp/crasher.XXXXXX";
	int fd = mkstemp(name);
	volatile char *p = mmap(NULL, 65536, PROT_READ, MAP_SHARED, fd, 0);

	unlink(name);
	(void)*p;
}

static void send(void)
{
	kill(getpid(), sig);
}

/* The handler is gone after its first signal; the second one is for nobody. */
static void on_signal(int got)
{
	(void)got;
}

static void twice(void)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(sig, &act, NULL);
	raise(sig);
	raise(sig);
}

/* --- sleeping ------------------------------------------------------------------------------- */

static void sleep_but(void (*handler)(int))
{
	sigset_t all;

	signal(sig, handler);
	sigfillset(&all);
	if (sig)
		sigdelset(&all, sig);
	for (;;)
		sigsuspend(&all);
}

static void default_but(void)
{
	sleep_but(SIG_DFL);
}

static void ignored_but(void)
{
	sleep_but(SIG_IGN);
}

static void handled_but(void)
{
	sleep_but(on_signal);
}

static void blocked_but(void)
{
	sigset_t all;

	sigfillset(&all);
	if (sig)
		sigdelset(&all, sig);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (;;)
		pause();
}

static void plain_pause(void)
{
	for (;;)
		pause();
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{ "segv", segv },
	{ "jump", jump },
	{ "ill", ill },
	{ "trap", trap },
	{ "fpe", fpe },
	{ "bus", bus },
	{ "abort", abort },
	{ "send", send },
	{ "twice", twice },
	{ "sleep-default", default_but },
	{ "sleep-ignored", ignored_but },
	{ "sleep-handled", handled_but },
	{ "sleep-blocked", blocked_but },
	{ "pause", plain_pause },
};

static void *act(void *arg)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, how) == 0)
			ways[i].run();
	return arg;
}

static void *compute(void *arg)
{
	for (volatile unsigned long n = 0;; n++)
		if (n % 4096 == 0)
			usleep(1000);
	return arg;
}

int main(int argc, char **argv)
{
	int beside = argc > 1 && (!strcmp(argv[1], "thread") || !strcmp(argv[1], "busy"));
	pthread_t t, other;

	how = argv[1 + beside] ? argv[1 + beside] : "";
	sig = how[0] && argv[2 + beside] ? atoi(argv[2 + beside]) : 0;
	if (!beside) {
		act(NULL);
		return 9;
	}
	if (argv[1][0] == 'b') {
		pthread_create(&other, NULL, compute, NULL);
		pthread_create(&other, NULL, compute, NULL);
	}
	pthread_create(&t, NULL, act, NULL);
	pthread_join(t, NULL);
	return 9;
}
