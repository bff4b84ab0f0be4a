/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile-trees [-o] [-l MS] [-n TREES] [-f FIRST] PREPARE: makes that many hostile trees in a
 * directory of its own and runs PREPARE on each in modes create, exec and after. One result in TAP
 * per kind of tree. -o: with every file it opens observed, else held to MS of processor time (100)
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/verdicts/trees/trees.h"

/* The goal. On a shared machine only the time a run computes can be held to it. */
#define GOAL_MS 100u
#define LIMIT_MS 5000
#define KINDS_MAX 64

struct totals {
	unsigned int runs, failures, refused, errors, late, opened;
	uint64_t max_ns, max_cpu_ns;
	char slowest[64];
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* A text for people: one line, something in it, nothing that moves a terminal's cursor. */
static bool is_line(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* @limit_ms 0: observed, which takes its time. */
static const char *judge(const struct outcome *o, unsigned int limit_ms)
{
	const struct report *r = &o->report;

	if (o->outside[0])
		return o->outside;
	if (WIFSIGNALED(o->status))
		return "died of a signal";
	if (WEXITSTATUS(o->status) != 0)
		return "exit status is not 0";
	if (!o->reported)
		return "no report";
	if (r->verdict == VERDICT_NONE && !is_line(r->err.text))
		return "an error that is not one line";
	if (r->verdict == VERDICT_REFUSE &&
	    (!is_line(r->line) || !str_after(r->line, "crossarch[")))
		return "a refusal that is not one line";
	if (o->complaint[0])
		return "something on standard error";
	if (!limit_ms)
		return NULL;
	return o->ns / 1000000 > LIMIT_MS || o->cpu_ns / 1000000 > limit_ms ? "too late" : NULL;
}

static void account(struct totals *sum, const struct tree *t, const char *mode,
		    const struct outcome *o)
{
	sum->runs++;
	sum->opened += o->opened;
	sum->refused += o->report.verdict == VERDICT_REFUSE;
	sum->errors += o->report.verdict == VERDICT_NONE;
	sum->late += o->ns / 1000000 > GOAL_MS;
	if (o->cpu_ns > sum->max_cpu_ns)
		sum->max_cpu_ns = o->cpu_ns;
	if (o->ns <= sum->max_ns)
		return;
	sum->max_ns = o->ns;
	(void)str_fmt(sum->slowest, sizeof(sum->slowest), "tree %u, mode %s", t->number, mode);
}

static void run_tree(struct tree *t, const char *prepare, unsigned int limit_ms,
		     struct totals *kind, struct totals *all)
{
	static const char *const modes[] = { "create", "exec", "after" };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		static struct outcome o;
		const char *wrong;

		if (t->root < 0 && str_eq(modes[i], "exec"))
			continue;
		run_prepare(t, prepare, modes[i], !limit_ms, &o);
		account(kind, t, modes[i], &o);
		account(all, t, modes[i], &o);
		wrong = judge(&o, limit_ms);
		if (getenv("TREES_VERBOSE"))
			printf("# %u %s %s: %.1f ms, verdict %u %s%s\n", t->number, t->kind,
			       modes[i], (double)o.ns / 1e6, o.report.verdict, o.report.line,
			       o.report.err.text);
		if (!wrong)
			continue;
		kind->failures++;
		printf("# tree %u, %s, mode %s: %s (status 0x%x, \"%.200s\")\n", t->number, t->kind,
		       modes[i], wrong, (unsigned int)o.status,
		       o.complaint[0] ? o.complaint : o.report.err.text);
	}
}

static void run_all(const char *dir, const char *prepare, unsigned int first, unsigned int n,
		    unsigned int limit_ms, struct totals *by_kind, struct totals *all)
{
	size_t n_kinds;
	const struct kind *kinds = kinds_all(&n_kinds);
	char path[PATH_MAX];

	for (unsigned int i = first; i < first + n; i++) {
		struct tree t;

		(void)str_fmt(path, sizeof(path), "%s/%u", dir, i);
		tree_open(&t, path, i, &kinds[i % n_kinds]);
		tree_text(&t, "../secret", "#!/bin/sh\n");
		tree_process(&t, "/bin/x", NULL);
		kinds[i % n_kinds].make(&t, i / (unsigned int)n_kinds);
		tree_close(&t);
		run_tree(&t, prepare, limit_ms, &by_kind[i % n_kinds], all);
		tree_deinit(&t);
		remove_tree(path);
	}
}

static int print_results(const struct totals *by_kind, const struct totals *all, unsigned int n,
			 unsigned int limit_ms)
{
	size_t n_kinds, printed = 0;
	const struct kind *kinds = kinds_all(&n_kinds);
	bool good = true;

	for (size_t i = 0; i < n_kinds; i++) {
		const struct totals *k = &by_kind[i];

		if (!k->runs)
			continue;
		good = good && !k->failures;
		printf("%s %zu - %s%s: %u runs\n", k->failures ? "not ok" : "ok", ++printed,
		       kinds[i].name, limit_ms ? "" : ", observed", k->runs);
	}
	printf("1..%zu\n# %u trees, %u runs: %u refused, %u errors, the rest may start\n", printed,
	       n, all->runs, all->refused, all->errors);
	if (!limit_ms)
		printf("# %u files and directories opened, all looked at\n", all->opened);
	else
		printf("# longest %.1f ms (%s), of processor time %.1f ms; %u runs above %u ms\n",
		       (double)all->max_ns / 1e6, all->slowest, (double)all->max_cpu_ns / 1e6,
		       all->late, GOAL_MS);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct totals by_kind[KINDS_MAX], all;
	unsigned int first = 0, n = 330, limit_ms = GOAL_MS;
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX];
	int option;

	while ((option = getopt(argc, argv, "of:l:n:")) != -1) {
		unsigned int value = optarg ? (unsigned int)atoi(optarg) : 0;

		if (option == 'f')
			first = value;
		else if (option == 'n')
			n = value;
		else if (option == 'l' || option == 'o')
			limit_ms = value;
		else
			return 2;
	}
	(void)str_fmt(dir, sizeof(dir), "%s/crossarch-trees-XXXXXX", tmp ? tmp : "/tmp");
	if (optind + 1 != argc || !mkdtemp(dir)) {
		fprintf(stderr,
			"usage: hostile-trees [-o] [-l MS] [-n TREES] [-f FIRST] PREPARE\n");
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	run_all(dir, argv[optind], first, n, limit_ms, by_kind, &all);
	remove_tree(dir);
	return print_results(by_kind, &all, n, limit_ms);
}
