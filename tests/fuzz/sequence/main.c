/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequence [-s SEED] [-n STEPS] [-e STEPS PER SHIM] [-v] [STUB]
 *
 * The task service against a model of it: random orders of calls, valid and not, with prepare, the
 * engine and the processes ending at any time and in any way. Prints TAP; a failure is printed with
 * its seed and the fewest steps that still show it.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "tests/fuzz/sequence/world.h"

#define STEPS_MAX 10000
#define SHRINKS_MAX 100

struct episode {
	struct seen *seen;
	const char *stub;
	uint64_t seed;
	unsigned int steps;
	bool left_out[STEPS_MAX];
	bool verbose, quiet;
};

static void remove_directory(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

__attribute__((noreturn)) static void play(const struct episode *e, const char *dir)
{
	static struct world w;

	signal(SIGPIPE, SIG_IGN);
	if (e->quiet)
		(void)!freopen("/dev/null", "w", stdout);
	(void)str_copy(w.dir, sizeof(w.dir), dir);
	w.verbose = e->verbose;
	w.seen = e->seen;
	w.bound_ms = e->quiet || e->verbose ? 4000 : 20000;
	world_begin(&w, e->stub);
	for (unsigned int i = 0; i < e->steps; i++) {
		if (e->left_out[i])
			continue;
		tell(&w, "step %u", i);
		step(&w, e->seed * 1000003 + i);
	}
	tell(&w, "winding up");
	wind_up(&w);
	_exit(0);
}

static bool passes(const struct episode *e)
{
	char dir[] = "/tmp/crossarch-sequence-XXXXXX";
	int status = -1;
	pid_t pid;

	if (!mkdtemp(dir)) {
		perror(dir);
		exit(2);
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		play(e, dir);
	waitpid(pid, &status, 0);
	remove_directory(dir);
	return status == 0;
}

/* Leaves out ever smaller parts for as long as it goes on to fail. */
static void shrink(struct episode *e)
{
	int tries = 0;

	e->quiet = true;
	for (unsigned int part = (e->steps + 1) / 2; part; part /= 2) {
		for (unsigned int at = 0; at < e->steps && tries < SHRINKS_MAX; at += part) {
			struct episode less = *e;
			bool any = false;

			for (unsigned int i = at; i < at + part && i < e->steps; i++) {
				any |= !less.left_out[i];
				less.left_out[i] = true;
			}
			if (!any)
				continue;
			tries++;
			if (!passes(&less))
				*e = less;
		}
	}
	e->quiet = false;
}

static void show(struct episode *e)
{
	shrink(e);
	e->verbose = true;
	if (passes(e))
		printf("# (it does not fail every time)\n");
}

static bool run(struct seen *seen, const char *stub, uint64_t seed, unsigned int steps,
		bool verbose)
{
	static struct episode e;

	e = (struct episode){
		.seen = seen, .stub = stub, .seed = seed, .steps = steps, .verbose = verbose
	};
	if (passes(&e))
		return true;
	if (verbose)
		return false; /* it is all there to read */
	printf("# seed %llu, %u steps: shrinking\n", (unsigned long long)seed, steps);
	show(&e);
	return false;
}

/* It lies beside us. */
static char *find_stub(const char *named, const char *self)
{
	const char *slash = strrchr(self, '/');
	char path[PATH_MAX];

	if (named)
		return realpath(named, NULL);
	if (!slash || !str_fmt(path, sizeof(path), "%.*s/stub", (int)(slash - self), self))
		return NULL;
	return realpath(path, NULL);
}

static void show_table(const struct seen *s)
{
	static const char *const states[] = { "none",	 "creating", "created",
					      "running", "paused",   "stopped" };

	for (int rpc = 0; rpc < M_RPC_N; rpc++)
		for (int state = 0; state <= M_STATE_N; state++)
			for (int exec = 0; exec < 2; exec++)
				for (int code = 0; code < W_CODES; code++)
					if (s->answers[rpc][state][exec][code])
						printf("# %-10s %-8s %-4s code %2d: %u\n",
						       rpc_name(rpc), states[state],
						       exec ? "exec" : "init", code,
						       s->answers[rpc][state][exec][code]);
}

static void summary(const struct seen *s)
{
	const unsigned int *all = &s->answers[0][0][0][0];
	unsigned int kinds = 0;

	for (size_t i = 0; i < sizeof(s->answers) / sizeof(*all); i++)
		kinds += all[i] != 0;
	printf("# %u calls, %u runs of prepare and the engine, %u events\n", s->calls, s->runs,
	       s->events);
	printf("# %u kinds of answers (call, state of the container, init or exec, code)\n", kinds);
}

int main(int argc, char **argv)
{
	unsigned int steps = 3000, each = 500, n = 0;
	uint64_t seed = 1;
	bool verbose = false, ok = true;
	struct seen *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *stub;
	int opt;

	while ((opt = getopt(argc, argv, "s:n:e:v")) >= 0) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (opt == 'n')
			steps = (unsigned int)strtoul(optarg, NULL, 10);
		else if (opt == 'e')
			each = (unsigned int)strtoul(optarg, NULL, 10);
		else if (opt == 'v')
			verbose = true;
		else
			return 2;
	}
	stub = find_stub(optind < argc ? argv[optind] : NULL, argv[0]);
	if (seen == MAP_FAILED || !stub || !each || each > STEPS_MAX) {
		fprintf(stderr,
			"usage: sequence [-s SEED] [-n STEPS] [-e STEPS PER SHIM] [-v] [STUB]\n");
		return 2;
	}
	for (uint64_t s = seed; n < steps && ok; s++, n += each)
		ok = run(seen, stub, s, steps - n < each ? steps - n : each, verbose);
	summary(seen);
	if (getenv("SEQUENCE_TABLE"))
		show_table(seen);
	printf("1..1\n%s 1 - sequences: %u steps from seed %llu\n", ok ? "ok" : "not ok", n,
	       (unsigned long long)seed);
	free(stub);
	return ok ? 0 : 1;
}
