/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emulator-calls QEMU TARGET: what a guest's system calls become on this machine, measured. For
 * each row of the table in runtime/oci/seccomp_names.c whose call TARGET has, a program in machine
 * code makes that call between two marks; a tracer notes what reaches the kernel between them. Exit
 * status 1 when something reaches it under a name the table does not have. Needs root, for a
 * namespace in which the calls do no harm.
 */
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/oci/seccomp_names.h"

#define BASE 0x400000u
#define SIZE 0x4000u
#define BUFFER (BASE + 0x3000u) /* of the program: a path that does not exist, then zeros */
#define MARK 0x7ead0000 /* close() of this descriptor begins a measurement, of the next ends it */
#define SEEN_MAX 32

/* --- a program of the guest ----------------------------------------------------------------- */

struct target {
	const char *name, *token; /* qemu's, libseccomp's */
	uint16_t machine;
	bool wide, big;
	uint32_t flags;
	uint8_t number, args[6]; /* registers */
	uint32_t enter;		 /* the instruction */
};

static const struct target targets[] = {
	{ "aarch64", "aarch64", EM_AARCH64, true, false, 0, 8, { 0, 1, 2, 3, 4, 5 }, 0xd4000001 },
	{ "arm", "arm", EM_ARM, false, false, 0x05000400, 7, { 0, 1, 2, 3, 4, 5 }, 0xef000000 },
	{ "x86_64", "x86_64", EM_X86_64, true, false, 0, 0, { 7, 6, 2, 10, 8, 9 }, 0x050f },
	{ "i386", "x86", EM_386, false, false, 0, 0, { 3, 1, 2, 6, 7, 5 }, 0x80cd },
	{ "riscv64", "riscv64", EM_RISCV, true, false, 0, 17, { 10, 11, 12, 13, 14, 15 }, 0x73 },
	{ "s390x", "s390x", EM_S390, true, true, 0, 1, { 2, 3, 4, 5, 6, 7 }, 0x0a00 },
	{ "ppc64le", "ppc64le", EM_PPC64, true, false, 2, 0, { 3, 4, 5, 6, 7, 8 }, 0x44000002 },
};

struct program {
	const struct target *t;
	uint8_t bytes[SIZE];
	size_t at;
};

static void put(struct program *p, size_t at, uint64_t value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		p->bytes[at + (p->t->big ? n - 1 - i : i)] = (uint8_t)(value >> (8 * i));
}

static void emit(struct program *p, uint64_t word, unsigned int n)
{
	put(p, p->at, word, n);
	p->at += n;
}

static void load(struct program *p, unsigned int reg, uint32_t v)
{
	switch (p->t->machine) {
	case EM_AARCH64:
		emit(p, 0xd2800000u | (v & 0xffff) << 5 | reg, 4);
		emit(p, 0xf2a00000u | (v >> 16) << 5 | reg, 4);
		break;
	case EM_ARM:
		emit(p, 0xe3000000u | (v >> 12 & 15) << 16 | reg << 12 | (v & 0xfff), 4);
		emit(p, 0xe3400000u | (v >> 28) << 16 | reg << 12 | (v >> 16 & 0xfff), 4);
		break;
	case EM_RISCV:
		emit(p, ((v + 0x800) & 0xfffff000u) | reg << 7 | 0x37, 4);
		emit(p, (v & 0xfff) << 20 | reg << 15 | reg << 7 | 0x1b, 4);
		break;
	case EM_S390:
		emit(p, 0xc00f | reg << 4, 2);
		emit(p, v, 4);
		break;
	case EM_X86_64:
	case EM_386:
		if (reg >= 8)
			emit(p, 0x41, 1);
		emit(p, 0xb8 | (reg & 7), 1);
		emit(p, v, 4);
		break;
	default:
		emit(p, 0x3c000000u | reg << 21 | v >> 16, 4);
		emit(p, 0x60000000u | reg << 21 | reg << 16 | (v & 0xffff), 4);
	}
}

static void call(struct program *p, int number, const uint32_t args[6])
{
	const struct target *t = p->t;

	for (unsigned int i = 0; i < 6; i++)
		load(p, t->args[i], args[i]);
	load(p, t->number, (uint32_t)number);
	emit(p, t->enter, t->enter > 0xffff || t->machine == EM_RISCV ? 4 : 2);
}

static void headers(struct program *p)
{
	const struct target *t = p->t;
	unsigned int w = t->wide ? 8 : 4, e = t->wide ? 64 : 52, ph = t->wide ? 56 : 32;
	const uint64_t wide[] = { 0, BASE, BASE, SIZE, SIZE, 0x10000 };

	memcpy(p->bytes, "\177ELF", 4);
	p->bytes[4] = t->wide ? ELFCLASS64 : ELFCLASS32;
	p->bytes[5] = t->big ? ELFDATA2MSB : ELFDATA2LSB;
	p->bytes[6] = 1;
	put(p, 16, ET_EXEC, 2);
	put(p, 18, t->machine, 2);
	put(p, 20, 1, 4);
	put(p, 24, BASE + e + ph, w);
	put(p, 24 + w, e, w);
	put(p, 24 + 3 * w, t->flags, 4);
	put(p, 28 + 3 * w, e, 2);
	put(p, 30 + 3 * w, ph, 2);
	put(p, 32 + 3 * w, 1, 2);
	put(p, e, PT_LOAD, 4);
	put(p, t->wide ? e + 4 : e + 24, PF_R | PF_W | PF_X, 4);
	for (unsigned int i = 0; i < 5; i++)
		put(p, e + (t->wide ? 8 : 4) + i * w, wide[i], w);
	put(p, e + (t->wide ? 48 : 28), wide[5], w);
	p->at = e + ph;
	strcpy((char *)p->bytes + (BUFFER - BASE), "/no/such/path");
}

/* The call with pointers first, then with a descriptor first, then with small numbers. */
static void build(struct program *p, const struct target *t, int number, bool multiplexed)
{
	uint32_t token = seccomp_arch_resolve_name(t->token);
	const uint32_t b = BUFFER, z = BUFFER + 256;
	const uint32_t patterns[][6] = {
		{ b, z, z, z, z, z }, { 0, z, z, z, z, z }, { 0x7fffffff, z, 8, z, z, 8 },
		{ 1, 0, z, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0 },
	};
	/* Of socketcall, in memory. qemu-i386 7.2 crashes of an address of length 0. */
	const uint32_t words[6] = { 0x7fff, z, 16, 0, z, 16 };
	const uint32_t mark[6] = { MARK }, end[6] = { MARK + 1 }, none[6] = { 0 };
	int close_nr = seccomp_syscall_resolve_name_arch(token, "close");

	memset(p, 0, sizeof(*p));
	p->t = t;
	headers(p);
	for (unsigned int i = 0; i < 6 && multiplexed && t->machine == EM_386; i++)
		put(p, z - BASE + 4 * i, words[i], 4);
	call(p, close_nr, mark);
	for (size_t i = 0; i < 5 && !multiplexed; i++)
		call(p, number, patterns[i]);
	for (uint32_t i = 1; i < 25 && multiplexed; i++)
		call(p, number, (const uint32_t[]){ i, z, 1, 0, z, 0 });
	call(p, close_nr, end);
	call(p, seccomp_syscall_resolve_name_arch(token, "exit_group"), none);
}

/* --- tracing -------------------------------------------------------------------------------- */

struct seen {
	int calls[SEEN_MAX];
	size_t n;
	bool began;
};

static void child(const char *qemu, const char *file)
{
	const struct itimerval every_second = { { 1, 0 }, { 1, 0 } };
	struct rlimit none = { 0, 0 };
	int null = open("/dev/null", O_RDWR);

	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET) < 0)
		_exit(98);
	setrlimit(RLIMIT_CORE, &none);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	setitimer(ITIMER_REAL, &every_second, NULL);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	execl(qemu, qemu, file, NULL);
	_exit(99);
}

static void note(struct seen *s, int number)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->calls[i] == number)
			return;
	if (s->n < SEEN_MAX)
		s->calls[s->n++] = number;
}

/* False when the program passed its second mark. */
static bool look(pid_t pid, struct seen *s)
{
	struct __ptrace_syscall_info i;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(i), &i) <= 0 ||
	    i.op != PTRACE_SYSCALL_INFO_ENTRY)
		return true;
	if (i.entry.nr == SYS_close && (uint32_t)i.entry.args[0] == MARK)
		s->began = true;
	else if (i.entry.nr == SYS_close && (uint32_t)i.entry.args[0] == MARK + 1)
		return false;
	else if (s->began)
		note(s, (int)i.entry.nr);
	return true;
}

static void trace(const char *qemu, const char *file, struct seen *s)
{
	int status, seconds = 0;
	pid_t pid = fork();

	if (pid == 0)
		child(qemu, file);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return;
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		bool ours = WSTOPSIG(status) == (SIGTRAP | 0x80) || WSTOPSIG(status) == SIGTRAP;

		/* It waits: what came before counts. Or the emulator takes its time to begin. */
		bool time_is_up = WSTOPSIG(status) == SIGALRM && (s->began || ++seconds == 60);

		if (time_is_up || (WSTOPSIG(status) == (SIGTRAP | 0x80) && !look(pid, s)))
			kill(pid, SIGKILL);
		ours = ours || WSTOPSIG(status) == SIGALRM;
		ptrace(PTRACE_SYSCALL, pid, 0, ours ? 0 : WSTOPSIG(status));
	}
}

/* --- comparing ------------------------------------------------------------------------------ */

/* What an emulator does on the way whatever the call is. */
static bool is_own(const char *name)
{
	static const char *const own[] = {
		"rt_sigprocmask",
		"rt_sigaction",
		"futex",
		"mmap",
		"munmap",
		"mprotect",
		"brk",
		"madvise",
		"mremap",
		"rt_sigreturn",
		"gettid",
		"getpid",
		"set_robust_list",
		"sched_yield",
		"read",
		"restart_syscall",
		"clone3",
		"access",
		"faccessat",
		"readlink", /* 10.0: is the file to open one it has to imitate? */
		"readlinkat",
		NULL
	};

	for (size_t i = 0; own[i]; i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

/* @name is @call, or what a node that lacks @call makes of it. */
static bool is_made_of(const char *call, const char *name)
{
	size_t n;
	const struct seccomp_successor *rows = seccomp_successors(&n);

	for (size_t i = 0; i < n; i++)
		for (const char *const *m = rows[i].made; *m; m++)
			if (!strcmp(rows[i].call, call) && !strcmp(*m, name) &&
			    seccomp_syscall_resolve_name(call) < 0)
				return true;
	return strcmp(call, name) == 0;
}

static bool listed(const struct seccomp_alias *row, const char *name)
{
	for (const char *const *n = row->node; *n; n++)
		if (is_made_of(*n, name))
			return true;
	return is_made_of(row->guest, name);
}

/* One line; false when something reached the kernel by a name the table lacks. */
static bool compare(const struct seccomp_alias *row, const struct seen *s)
{
	uint32_t native = seccomp_arch_native();
	bool good = true, reached = false;

	printf("# %s ->", row->guest);
	for (size_t i = 0; i < s->n; i++) {
		char *name = seccomp_syscall_resolve_num_arch(native, s->calls[i]);
		bool own = name && is_own(name) && !listed(row, name);

		if (name && !own) {
			printf(" %s%s", name, listed(row, name) ? "" : " (NOT IN THE TABLE)");
			good = good && listed(row, name);
			reached = true;
		}
		free(name);
	}
	puts(reached ? "" : s->began ? " (not reached)" : " (NOT RUN)");
	return good && s->began;
}

static bool measure(const char *qemu, const struct target *t, const struct seccomp_alias *row)
{
	uint32_t token = seccomp_arch_resolve_name(t->token);
	int number = seccomp_syscall_resolve_name_arch(token, row->guest);
	bool multiplexed = !strcmp(row->guest, "ipc") || !strcmp(row->guest, "socketcall");
	char file[] = "/tmp/emulator-calls.XXXXXX";
	struct seen s = { .n = 0 };
	struct program p;
	int fd;

	if (number < 0)
		return true; /* this guest has no such call */
	build(&p, t, number, multiplexed);
	fd = mkstemp(file);
	if (fd < 0 || write(fd, p.bytes, SIZE) != SIZE || fchmod(fd, 0755) < 0)
		return false;
	close(fd);
	trace(qemu, file, &s);
	unlink(file);
	return compare(row, &s);
}

int main(int argc, char **argv)
{
	const struct target *t = NULL;
	size_t n;
	const struct seccomp_alias *rows = seccomp_aliases(&n);
	const struct seccomp_successor *successors;
	bool good = true;

	for (size_t i = 0; argc == 3 && i < sizeof(targets) / sizeof(targets[0]); i++)
		if (strcmp(targets[i].name, argv[2]) == 0)
			t = &targets[i];
	if (!t) {
		fputs("usage: emulator-calls QEMU aarch64|arm|x86_64|i386|riscv64|s390x|ppc64le\n",
		      stderr);
		return 2;
	}
	for (size_t i = 0; i < n; i++)
		good = measure(argv[1], t, &rows[i]) && good;
	successors = seccomp_successors(&n);
	for (size_t i = 0; i < n; i++) {
		const struct seccomp_alias row = { .guest = successors[i].call };

		if (seccomp_syscall_resolve_name(row.guest) < 0)
			good = measure(argv[1], t, &row) && good;
	}
	return good ? 0 : 1;
}
