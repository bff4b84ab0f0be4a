/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/task.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/list.h"

/*
 * Faults, load and hostile peers against one shim. This program stands in for containerd: it runs
 * `start` and `delete`, speaks the Task API, takes the events, and after each fault looks at what
 * containerd's users would be left with.
 */
#define RPC_BOUND_MS 30000 /* an answer that takes longer counts as none */

/* From the environment, set by tests/tools/faults/lib.sh. All strings are there for the whole run.
 */
struct world {
	const char *bin;     /* FAULTS_BIN: directory of our programs */
	const char *dir;     /* FAULTS_DIR: for bundles, engine state, sockets */
	const char *root;    /* FAULTS_ROOT: a directory with busybox */
	const char *ns;	     /* FAULTS_NAMESPACE: also the cgroup parent */
	const char *foreign; /* FAULTS_FOREIGN: the same of another architecture; may be empty */
	const char *grpc;    /* FAULTS_CONTAINERD: a real containerd's socket */
	const char *engine;  /* FAULTS_ENGINE: runc or crun */
	char shim[PATH_MAX];
	char events[100]; /* where the sink listens */
	struct sink *sink;
};

uint64_t now_ms(void);
void pause_ms(unsigned int ms);

/* --- peer.c: a client with any number of requests in flight ---------------------------------- */

struct peer {
	int fd;
	uint32_t last_stream;
	struct buf in;
	struct list answers; /* arrived, and not asked for yet */
};

MUST_CHECK int peer_open(const char *path, struct peer *ret, struct err *err);
void peer_close(struct peer *p);

/* Sends; @ret_stream is what peer_wait() wants. @bound_ms is told to the shim, 0: none. */
MUST_CHECK int peer_send(struct peer *p, const char *method, const ProtobufCMessage *request,
			 unsigned int bound_ms, uint32_t *ret_stream, struct err *err);

/*
 * Waits for one answer. ERR_TIMEOUT: none came; ERR_IO: the connection is gone; ERR_PRECONDITION:
 * the shim answered with an error, whose code is in errnum. @ret_reply may be NULL.
 */
MUST_CHECK int peer_wait(struct peer *p, uint32_t stream, unsigned int bound_ms,
			 struct buf *ret_reply, struct err *err);

/* Both. */
MUST_CHECK int peer_ask(struct peer *p, const char *method, const ProtobufCMessage *request,
			struct buf *ret_reply, struct err *err);

/* --- sink.c: containerd's end for events, in a process of its own ----------------------------- */

enum happening {
	EV_CREATE = 1,
	EV_START = 2,
	EV_EXEC_ADDED = 4,
	EV_EXEC_STARTED = 8,
	EV_EXEC_EXIT = 16,
	EV_EXIT = 32,
	EV_DELETE = 64,
};

MUST_CHECK int sink_new(struct world *w, struct err *err);
void sink_free(struct world *w);

/* Its process: gone, socket and all, and there again. What arrived is kept. */
void sink_stop(struct world *w);
MUST_CHECK int sink_start(struct world *w, struct err *err);

pid_t sink_pid(const struct world *w);

/* How many events have arrived in all; the next one has this number. */
uint32_t sink_count(const struct world *w);

/*
 * The events of container @id from number @from on: @wanted have to arrive (within @bound_ms),
 * nothing outside @wanted and @allowed may, none twice, all in order: create, start, then for each
 * exec added, started, exit; the container's exit after those of its execs; delete last.
 */
MUST_CHECK int sink_check(const struct world *w, uint32_t from, const char *id, unsigned int wanted,
			  unsigned int allowed, unsigned int bound_ms, struct err *err);

/* --- trace.c: stops a process at a chosen system call ----------------------------------------- */

/* Whose system calls count: the process that was given, one of its children, or a child of those.
 */
enum role {
	ROLE_SELF,
	ROLE_FORK,
	ROLE_PREPARE,
	ROLE_INSIDE, /* what prepare forks, to be in another user namespace */
	ROLE_PLATFORM,
	ROLE_ENGINE,
	ROLE_DAEMON,
	ROLES
};

enum action {
	ACT_KILL,
	ACT_ENOSPC,
	ACT_EMFILE,
	ACT_ENOMEM,
	ACT_EIO,
	ACTIONS,
	ACT_HOLD, /* at the call until the trace ends; no matrix of it */
};

struct fault {
	enum role role;
	enum action action;
	unsigned int step; /* 1: the first call the action applies to; 0: only count */
	bool lasting;	   /* an error stays: all later calls fail the same way */
	bool from_exec;	   /* what the first process does before its execve is not ours to judge */
	bool as_parent;	   /* only calls that are made while there is a child */
	pid_t victim;	   /* whom ACT_KILL kills; 0: the process itself */
	uint64_t call;	   /* only calls of this number count; 0: all (number 0 is read) */
};

struct trace {
	pid_t tracer;
	struct traced *seen;
};

/* What the traced did so far. */
struct traced {
	volatile bool ready, fired;
	volatile unsigned int steps[ACTIONS];
	volatile pid_t held; /* ACT_HOLD: the latest process that is at the call */
	char call[32];	     /* the one that was hit */
};

extern const char *const role_name[ROLES], *const action_name[ACTIONS];

/* Begins with @pid and follows its children. */
MUST_CHECK int trace_begin(struct trace *t, pid_t pid, const struct fault *f, struct err *err);

/* All processes go on untraced; @ret is what was seen. */
void trace_end(struct trace *t, struct traced *ret);

/* calls.c: which of the actions make sense at this call (a bit each), and its name. */
unsigned int call_actions(uint64_t number, const uint64_t args[6]);
const char *call_name(uint64_t number);

/* --- box.c: a pod (one shim) and containers in it --------------------------------------------- */

struct pod {
	struct world *w;
	char group[40];
	char socket[108];
	struct peer peer; /* fd -1: not connected */
	pid_t shim;
};

#define MAPPED_ID 100000

struct box {
	struct pod *pod;
	char id[40];
	char bundle[256];
	const char *engine;   /* for options; default the world's */
	const char *out;      /* stdout of the container, NULL: none */
	bool exec_terminal;   /* its execs have one */
	const char *exec_out; /* stdout of its execs, NULL: none */
	const char *volume;   /* a directory that it has as /volume, NULL: none */
	bool mapped;	      /* the ids of its root file system begin at MAPPED_ID */
	bool emulated; /* foreign, in a user namespace, with emulators that are its pod's alone */
	unsigned int bound_ms;	    /* what requests but Wait carry, as containerd's do; 0: none */
	bool created, started;	    /* as far as the shim has told us */
	pid_t init;		    /* from Create */
	uint32_t from;		    /* its first event */
	unsigned int wanted, maybe; /* enum happening */
};

/* A bundle of a container that runs @program (words end in NULL). */
MUST_CHECK int box_make(struct pod *pod, const char *id, const char *const *program,
			struct box *ret, struct err *err);
void box_remove(struct box *b);

/*
 * The steps of containerd. The shim's own actions can be traced: @t is begun with @f on the process
 * before it runs; box_boot() also connects.
 */
MUST_CHECK int box_boot(struct box *b, struct trace *t, const struct fault *f, struct err *err);
MUST_CHECK int box_create(struct box *b, struct err *err);
MUST_CHECK int box_start(struct box *b, struct err *err);
MUST_CHECK int box_exec(struct box *b, const char *exec_id, const char *const *program,
			struct err *err);
/* The same; what did not start is started once more, as whoever is told so may do. */
MUST_CHECK int box_exec_twice(struct box *b, const char *exec_id, const char *const *program,
			      struct err *err);
MUST_CHECK int box_kill(struct box *b, struct err *err); /* and waits */
MUST_CHECK int box_delete(struct box *b, const char *exec_id, struct err *err);
MUST_CHECK int box_clean(struct box *b, struct trace *t, const struct fault *f, struct err *err);

/* Requests by hand: "Start", "Wait", "Delete", ... of @exec_id ("": the container itself). */
MUST_CHECK int box_ask(struct box *b, const char *method, const char *exec_id,
		       struct buf *ret_reply, struct err *err);
MUST_CHECK int box_send(struct box *b, const char *method, const char *exec_id, uint32_t *ret,
			struct err *err);
MUST_CHECK int box_send_create(struct box *b, unsigned int bound_ms, uint32_t *ret,
			       struct err *err);
MUST_CHECK int box_send_exec(struct box *b, const char *exec_id, const char *const *program,
			     uint32_t *ret, struct err *err);

/* What containerd does with a container that went wrong, until nothing is left of it. */
MUST_CHECK int box_rescue(struct box *b, struct err *err);

/* Runs: State says so, and the process is there. */
MUST_CHECK int box_runs(struct box *b, struct err *err);

/* All steps of one life, events checked; "box.c" knows nothing of faults here. */
MUST_CHECK int box_life(struct box *b, bool with_exec, struct err *err);

bool pod_alive(struct pod *pod); /* reaps a shim that is gone */
/* Tells the shim to go, and waits until it is gone. */
MUST_CHECK int pod_end(struct pod *pod, struct err *err);

/* --- left.c: what a container may leave on the machine ---------------------------------------- */

/* After its Delete and `delete`: waits a moment for it all to be gone. */
MUST_CHECK int left_by_box(const struct box *b, struct err *err);

/* Children of @pid other than @known (0: none) that are still there after a moment. */
MUST_CHECK int left_children(pid_t pid, const pid_t *known, size_t n, struct err *err);
MUST_CHECK int left_socket(const struct pod *pod, struct err *err);

struct usage {
	unsigned long rss_kb, private_kb, descriptors, threads;
};
MUST_CHECK int usage_of(pid_t pid, struct usage *ret, struct err *err);

/* --- the commands ---------------------------------------------------------------------------- */

typedef int command(struct world *w, int argc, char **argv, struct err *err);
MUST_CHECK command cmd_matrix, cmd_boot, cmd_scenarios, cmd_soak, cmd_crowd, cmd_hostile, cmd_at;

/* The step of fault @i of @n: all @steps when there are no more, else spread over all of them. */
unsigned int spread(unsigned int i, unsigned int n, unsigned int steps);

/* A test counts its own losses and goes on; this is the line the suites and a person read. */
struct tally {
	unsigned int injected, unreached, losses;
};
__attribute__((format(printf, 2, 3))) void loss(struct tally *t, const char *fmt, ...);
