/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/bench.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/containerd/chain_id.h"
#include "runtime/containerd/rpc.h"

/*
 * The measuring client: containerd's API from C, because the start of ctr alone takes longer than
 * what is compared here. One command per figure; each measures both shims in turn and prints one
 * line of JSON per series with every sample in it. `report` makes the table from them.
 */

/* The two shims compared, and the engine driven by hand: what both of them have in common. */
enum subject { STOCK, OURS, SHIMS, ENGINE = SHIMS, SUBJECTS };

extern const char *const subject_name[SUBJECTS];

/* From the environment, set by tests/bench/bench. All strings are there for the whole run. */
struct bench {
	const char *socket;	 /* BENCH_SOCKET: containerd's */
	const char *namespace;	 /* BENCH_NAMESPACE: for containers */
	const char *cgroup;	 /* BENCH_CGROUP: parent of the containers' */
	const char *dir;	 /* BENCH_DIR: for bundles and FIFOs */
	const char *image;	 /* BENCH_IMAGE: unpacked in that namespace */
	const char *engine;	 /* BENCH_ENGINE: absolute path of runc or crun */
	const char *config;	 /* BENCH_CONFIG: ours, naming the same engine */
	const char *label;	 /* BENCH_CONTAINERD: its version, for the report */
	const char *shim[SHIMS]; /* BENCH_STOCK, BENCH_OURS: the programs */
	const char *tools;	 /* directory of crossarch and crossarch-prepare */
	char chain[DIGEST_MAX];	 /* the snapshot that holds the image */
	struct rpc *rpc;
};

/* Another connection: gRPC calls are one at a time, so each thread has its own. */
MUST_CHECK int bench_connect(const struct bench *b, struct rpc **ret, struct err *err);

/* --- samples.c ------------------------------------------------------------------------------- */

struct samples {
	double *v;
	size_t n, cap;
};
#define CLEANUP_SAMPLES CLEANUP(samples_deinit)

void samples_add(struct samples *s, double value);
void samples_deinit(struct samples *s);

/* Prints the line of JSON. @engine says whether the figure depends on it. */
void samples_print(const struct bench *b, const char *figure, const char *series, bool engine,
		   const struct samples *s);

/* The value below which @percent of @s lie (nearest rank). Sorts @s; 0 of an empty one. */
double samples_rank(struct samples *s, unsigned int percent);

double now_ms(void);

/*
 * Runs @one for subjects 0 to @n_subjects - 1, @rounds times and a few more that do not count,
 * beginning with another subject each time: whatever drifts on the machine meets all alike.
 */
MUST_CHECK int alternate(unsigned int rounds, unsigned int n_subjects,
			 int (*one)(void *ctx, enum subject who, bool counts, struct err *err),
			 void *ctx, struct err *err);

/* --- spec.c ---------------------------------------------------------------------------------- */

/* What runs: NULL-terminated words that need no quoting in JSON. */
typedef const char *const *words;

/* An OCI configuration like ctr's, for containers of the group (pod) @group. */
MUST_CHECK int spec_container(const struct bench *b, const char *id, const char *group, words args,
			      struct buf *out, struct err *err);
MUST_CHECK int spec_process(words args, struct buf *out, struct err *err);

/* --- tasks.c --------------------------------------------------------------------------------- */

struct container {
	char id[80];
	enum subject subject;
	Bench__Mount **mounts;
	size_t n_mounts;
	struct arena arena; /* of the mounts */
};

/* Options for @who's `start` and Create: type and bytes, in @arena. */
Bench__Any *subject_options(const struct bench *b, enum subject who, struct arena *arena);

/*
 * A record in containerd with a snapshot of the image, named ID of @c; @group as in spec.c.
 * container_remove() takes it back and is for containers that were made.
 */
MUST_CHECK int container_make(struct bench *b, struct container *c, const char *group, words args,
			      struct err *err);
MUST_CHECK int container_remove(struct bench *b, struct container *c, struct err *err);

/* Paths of FIFOs that somebody reads. */
struct streams {
	const char *out, *err;
};

/* containerd's task calls. @io is NULL for none, @exec_id for the container's own process. */
MUST_CHECK int task_create(struct rpc *rpc, const struct container *c, const struct streams *io,
			   struct err *err);
MUST_CHECK int task_exec(struct rpc *rpc, const struct container *c, const char *exec_id,
			 words args, struct err *err);
MUST_CHECK int task_start(struct rpc *rpc, const struct container *c, const char *exec_id,
			  struct err *err);
MUST_CHECK int task_kill(struct rpc *rpc, const struct container *c, struct err *err);

/* Waits for its end; anything but exit status @wanted is an error: a broken run is no sample. */
MUST_CHECK int task_wait(struct rpc *rpc, const struct container *c, const char *exec_id,
			 unsigned int wanted, struct err *err);
MUST_CHECK int task_delete(struct rpc *rpc, const struct container *c, const char *exec_id,
			   struct err *err);

/* create and start, and its opposite for what runs for ever. */
MUST_CHECK int task_up(struct rpc *rpc, const struct container *c, struct err *err);
MUST_CHECK int task_down(struct rpc *rpc, const struct container *c, struct err *err);

/* --- by_hand.c ------------------------------------------------------------------------------- */

/* A bundle of our own, as containerd lays it out, for shims and engines that we start ourselves. */
struct bundle {
	char path[256];
	int log_fd; /* the FIFO "log", held open */
};

MUST_CHECK int bundle_make(const struct bench *b, const struct container *c, words args,
			   struct bundle *ret, struct err *err);
void bundle_remove(struct bundle *bundle);

MUST_CHECK int rootfs_mount(const struct container *c, const struct bundle *at, struct err *err);
MUST_CHECK int rootfs_umount(const struct bundle *at, struct err *err);

/* Runs a program to its end; exit status 0 or it is an error. @out may be NULL. */
struct run {
	char *const *argv;
	const char *cwd;
	int in;
	int log; /* standard output and error when there is no @out; -1: /dev/null */
};
MUST_CHECK int run_program(const struct run *r, struct buf *out, double *ret_first_ms,
			   struct err *err);

/* create, start, wait and delete with the engine itself, this process standing in for the shim. */
struct engine_times {
	double create, total;
};
MUST_CHECK int engine_cycle(const struct bench *b, const struct bundle *at, const char *id,
			    struct engine_times *ret, struct err *err);

/* --- processes.c ----------------------------------------------------------------------------- */

struct usage {
	double private_dirty, pss, rss; /* KB */
	double threads;
	double cpu; /* as process_cpu() */
};

/* The resident shim that was started for container @id; ERR_NOT_FOUND when there is none. */
MUST_CHECK int shim_pid(const struct bench *b, const char *id, int *ret, struct err *err);
MUST_CHECK int process_usage(int pid, struct usage *ret, struct err *err);

/* Processor time that all threads of @pid have used, in ms. */
MUST_CHECK int process_cpu(int pid, double *ret, struct err *err);

/* --- the commands ---------------------------------------------------------------------------- */

typedef int command(struct bench *b, unsigned int n, struct err *err);

MUST_CHECK command bench_cycle, bench_parallel, bench_exec, bench_direct, bench_check, bench_output;
MUST_CHECK command bench_pods, bench_growth, bench_nodes, bench_cold, bench_pod;

/* report.c: reads all series from standard input. */
int report_main(int argc, char **argv);
