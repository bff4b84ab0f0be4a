/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracle [-s SEED] [-f FIRST] [-n CASES] [-k KIND] [-e ENGINE] [-v] PREPARE: makes that many root
 * file systems with a program in each, asks PREPARE for its verdict, runs the program, and
 * compares. Programs that need neither mounts nor hooks are run by the kernel in a user namespace
 * with a binfmt_misc of its own; the others by ENGINE. One result in TAP per kind of case.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "runtime/base/fd.h"
#include "runtime/binfmt/registry.h"
#include "tests/verdicts/verdicts.h"

#define KINDS_MAX 64

struct options {
	uint64_t seed;
	unsigned int first, n;
	const char *kind, *engine, *prepare;
	bool verbose;
	char dir[PATH_MAX];
};

struct totals {
	unsigned int cases, wrong, refused, emulated, native;
};

/* Shared with the process in the user namespace. */
struct sums {
	struct totals by_kind[KINDS_MAX];
	unsigned int exceptions[EXCEPTIONS_MAX];
};

static void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* --- one case ------------------------------------------------------------------------------ */

static void add(struct buf *b, const char *text)
{
	struct err err;

	ASSERT(buf_add(b, text, strlen(text), &err) == 0);
}

static void add_strings(struct buf *b, const char *name, const char *const *list)
{
	add(b, "\"");
	add(b, name);
	add(b, "\":[");
	for (size_t i = 0; list[i]; i++) {
		add(b, i ? ",\"" : "\"");
		for (const char *p = list[i]; *p; p++) {
			char c[8];

			(void)str_fmt(c, sizeof(c), *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
			add(b, c);
		}
		add(b, "\"");
	}
	add(b, "]");
}

static void describe(struct trial *t)
{
	struct buf *b = &t->tree.process;
	CLEANUP_BUF struct buf more = BUF_INIT(1u << 20);

	buf_deinit(b);
	add(b, "{\"cwd\":\"");
	add(b, t->cwd);
	add(b, "\",\"user\":{\"uid\":0,\"gid\":0},\"noNewPrivileges\":true,");
	add_strings(b, "args", t->args);
	add(b, ",");
	add_strings(b, "env", t->env);
	add(b, "}");
	add(&more, ",\"hostname\":\"oracle\",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},"
		   "{\"type\":\"pid\"},{\"type\":\"uts\"},{\"type\":\"ipc\"}]},\"mounts\":[");
	if (t->engine) {
		tree_node(&t->tree, "proc", S_IFDIR);
		tree_node(&t->tree, "dev", S_IFDIR);
		add(&more, "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}");
		add(&more, t->mounts.len ? "," : "");
	}
	add(&more, buf_str(&t->mounts));
	add(&more, "],\"hooks\":{");
	add(&more, buf_str(&t->hooks));
	add(&more, "}");
	tree_config(&t->tree, buf_str(&more));
}

static void trial_make(struct trial *t, const struct options *o, const struct trial_kind *k,
		       unsigned int number, unsigned int variant)
{
	struct kind kind = { k->name, NULL };
	char path[PATH_MAX];

	memset(t, 0, sizeof(*t));
	(void)str_fmt(path, sizeof(path), "%s/%u", o->dir, number);
	(void)str_fmt(t->host_dir, sizeof(t->host_dir), "%s/host", o->dir);
	(void)mkdir(t->host_dir, 0755);
	tree_open(&t->tree, path, number, &kind);
	t->tree.random = o->seed * 1000003u + number;
	t->mounts = t->hooks = (struct buf)BUF_INIT(1u << 20);
	t->args[0] = "/bin/x";
	t->cwd = "/";
	t->env[0] = "PATH=/usr/bin:/bin";
	t->engine = k->engine;
	k->make(t, variant);
	describe(t);
	tree_close(&t->tree);
}

static void trial_deinit(struct trial *t)
{
	char path[PATH_MAX];

	(void)str_copy(path, sizeof(path), t->tree.path);
	buf_deinit(&t->mounts);
	buf_deinit(&t->hooks);
	tree_deinit(&t->tree);
	remove_tree(path);
	remove_tree(t->host_dir);
	if (t->handlers)
		handlers_clear();
}

static void print_case(const struct options *o, const struct trial *t, const struct report *r,
		       const struct truth *x, const char *wrong)
{
	static const char *const names[VERDICT_N] = { "none", "native", "emulated", "refused" };

	printf("# case %u of seed %llu, %s: %s%s%s\n#   verdict %s %.400s%s%s\n#   truth: %s",
	       t->tree.number, (unsigned long long)o->seed, t->tree.kind, t->label,
	       wrong ? ": " : "", wrong ? wrong : "", names[r->verdict % VERDICT_N], r->line,
	       r->verdict == VERDICT_NONE ? r->err.text : "",
	       r->n_warnings ? " (with a warning)" : "", x->started ? "" : strerror(x->error));
	if (x->started)
		printf("%s %u", x->signalled ? "signal" : "status", x->status);
	printf(" %s\n", x->words);
}

static void run_case(struct trial *t, const struct options *o, struct sums *sums,
		     struct totals *sum)
{
	static struct outcome outcome;
	const char *wrong;
	struct truth truth;

	run_prepare(&t->tree, o->prepare, "create", false, &outcome);
	if (!outcome.reported)
		outcome.report.verdict = VERDICT_NONE;
	truth_find(t, o->engine, &truth);
	wrong = judge_verdict(t, &outcome.report, &truth, sums->exceptions);
	sum->cases++;
	sum->wrong += wrong != NULL;
	sum->refused += outcome.report.verdict == VERDICT_REFUSE;
	sum->emulated += outcome.report.verdict == VERDICT_EMULATE;
	sum->native += outcome.report.verdict == VERDICT_NATIVE;
	if (wrong || o->verbose)
		print_case(o, t, &outcome.report, &truth, wrong);
}

/* --- all of them --------------------------------------------------------------------------- */

/* The kind of case @number: each has its share of every hundred. */
static const struct trial_kind *kind_of(unsigned int number, size_t *ret_index,
					unsigned int *ret_variant)
{
	size_t n;
	const struct trial_kind *kinds = trial_kinds(&n);
	unsigned int round = 0, at;

	for (size_t i = 0; i < n; i++)
		round += kinds[i].weight;
	at = number % round;
	for (size_t i = 0; i < n; i++) {
		if (at < kinds[i].weight) {
			*ret_index = i;
			*ret_variant = number / round * kinds[i].weight + at;
			return &kinds[i];
		}
		at -= kinds[i].weight;
	}
	return NULL;
}

static void run_all(const struct options *o, bool engine, struct sums *sums)
{
	for (unsigned int i = o->first; i < o->first + o->n; i++) {
		static struct trial t;
		unsigned int variant;
		size_t index;
		const struct trial_kind *k = kind_of(i, &index, &variant);

		if (!k || k->engine != engine || (o->kind && !str_eq(o->kind, k->name)))
			continue;
		trial_make(&t, o, k, i, variant);
		run_case(&t, o, sums, &sums->by_kind[index]);
		trial_deinit(&t);
	}
}

/* --- a user namespace with a binfmt_misc of its own ---------------------------------------- */

static bool map_ids(pid_t pid)
{
	static const char *const files[] = { "uid_map", "gid_map" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP_FD int fd = -1;

		(void)str_fmt(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0 0 4294967295", 14) != 14)
			return false;
	}
	return true;
}

static void own_world(const struct options *o, int go)
{
	char byte;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		bail("user namespace");
	(void)!write(go, "x", 1);
	if (read(go, &byte, 1) != 1 || setresuid(0, 0, 0) < 0)
		bail("ids of the user namespace");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", o->dir, "tmpfs", 0, "mode=0755") < 0 ||
	    mount("binfmt_misc", BINFMT_DIR, "binfmt_misc", 0, NULL) < 0)
		bail("mounts of the user namespace");
}

static void run_in_own_world(const struct options *o, struct sums *sums)
{
	int status, pair[2];
	pid_t pid;
	char byte;

	ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	(void)fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0);
	if (!pid) {
		own_world(o, pair[0]);
		run_all(o, false, sums);
		(void)fflush(stdout);
		_exit(0);
	}
	fd_close(&pair[0]);
	if (read(pair[1], &byte, 1) != 1 || !map_ids(pid) || write(pair[1], "x", 1) != 1)
		bail("ids of the user namespace");
	if (waitpid(pid, &status, 0) != pid || status != 0)
		bail("the user namespace's process");
	fd_close(&pair[1]);
}

static int print_results(const struct sums *sums, const struct options *o)
{
	size_t n, printed = 0;
	const struct trial_kind *kinds = trial_kinds(&n);
	struct totals all = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct totals *k = &sums->by_kind[i];

		if (!k->cases)
			continue;
		all.cases += k->cases, all.wrong += k->wrong, all.refused += k->refused;
		all.emulated += k->emulated, all.native += k->native;
		printf("%s %zu - %s: %u of %u verdicts agree\n", k->wrong ? "not ok" : "ok",
		       ++printed, kinds[i].name, k->cases - k->wrong, k->cases);
	}
	printf("1..%zu\n# seed %llu, %u cases: %u native, %u emulated, %u refused; %u wrong\n",
	       printed, (unsigned long long)o->seed, all.cases, all.native, all.emulated,
	       all.refused, all.wrong);
	judge_print_exceptions(sums->exceptions);
	return all.wrong ? 1 : 0;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	int option;

	while ((option = getopt(argc, argv, "e:f:k:n:s:v")) != -1) {
		switch (option) {
		case 'e':
			o->engine = optarg;
			break;
		case 'f':
			o->first = (unsigned int)atoi(optarg);
			break;
		case 'k':
			o->kind = optarg;
			break;
		case 'n':
			o->n = (unsigned int)atoi(optarg);
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 0);
			break;
		case 'v':
			o->verbose = true;
			break;
		default:
			return false;
		}
	}
	o->prepare = argv[optind];
	return optind + 1 == argc;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = 1, .n = 700, .engine = "/usr/sbin/runc" };
	const char *tmp = getenv("TMPDIR");
	struct sums *sums = mmap(NULL, sizeof(*sums), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)str_fmt(o.dir, sizeof(o.dir), "%s/crossarch-oracle-XXXXXX", tmp ? tmp : "/tmp");
	if (!read_options(argc, argv, &o) || sums == MAP_FAILED || !mkdtemp(o.dir)) {
		fprintf(stderr, "usage: oracle [-s SEED] [-f FIRST] [-n CASES] [-k KIND] "
				"[-e ENGINE] [-v] PREPARE\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	run_in_own_world(&o, sums);
	run_all(&o, true, sums);
	remove_tree(o.dir);
	return print_results(sums, &o);
}
