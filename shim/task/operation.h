/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/traceparent.h"
#include "shim/engine/argv.h"
#include "shim/loop/child.h"
#include "shim/task/task.h"

struct operation;

/* One program, or forked step, that an operation waits for. All zero: none. */
struct run {
	struct child child;
	struct list in_operation;
	struct operation *op;
	bool answered; /* it has given what was wanted, so nobody waits for its end */
	/* It ended, with this exit code. @run and the operation may be gone afterwards. */
	void (*done)(struct run *run, uint32_t code);
};

/*
 * One thing in flight on a task: runs of the engine, of prepare, of forked steps, after or beside
 * one another. An operation that has a process to itself makes later ones on that process wait
 * their turn; one without a process (Kill) never waits. It holds the call to answer and ends
 * exactly once, by operation_succeed(), operation_fail() or, when its task goes away,
 * operation_cancel().
 *
 * A run whose deadline passes is killed. One that the kernel does not let die counts as ended a
 * little later: no operation lasts longer than its deadline and that little time.
 */
struct operation {
	struct run engine;
	struct run step;  /* a forked one, or the search for the engine's words */
	struct list runs; /* those in flight; others than these two are their owners' */
	struct list in_task;
	struct task *task;
	struct process *process; /* which it has to itself: whose op field points here; or NULL */
	struct call *call;	 /* NULL: nobody waits for the result */
	char traceparent[TRACEPARENT_LEN + 1]; /* of the request, for the log; "" without one */
	enum engine_verb verb;
	struct timer deadline;
	uint64_t bound_ns; /* the longest a run may take without a deadline of the call; 0: any */
	uint64_t limit_ns; /* CLOCK_MONOTONIC, by operation_limit(); 0: none */
	bool timed_out, holds_reaper;
	char *log;	      /* path of the engine's log of this run; removed with the operation */
	char *criu_log;	      /* path of criu's own log, whose errors say more; NULL: none; owned */
	int error_fd;	      /* report pipe while the engine's words are fetched, else -1 */
	int gate;	      /* the engine reads from it what it is to run; else -1; owned */
	uint32_t engine_code; /* how the engine ended that time */
	bool failed;	      /* for @why, but the engine still runs: undone when it has ended */
	struct err why;
	/* The engine ended with this exit code. Starts the next step or ends the operation. */
	void (*engine_done)(struct operation *, uint32_t code);
	/* The same for operation_fork(). */
	void (*step_done)(struct operation *, uint32_t code);
	/* Optional: undoes what the steps so far did; runs before a failure is answered. */
	void (*undo)(struct operation *, const struct err *why);
	/* Optional: frees what @data points at. */
	void (*free_data)(void *data);
	void *data;
};

/*
 * True when @p has an operation in flight: the call is parked and its method runs again from the
 * start once the process is free. Used as first thing by every method that needs it.
 */
bool operation_defer(struct process *p, struct call *call);

/* A new operation; takes the call on success. @process may be NULL. Fails with ERR_NOMEM. */
struct operation *operation_new(struct task *task, struct process *process, struct call *call,
				struct err *err);

/* What lines in the log are about that are written because of the operation. Points into it. */
struct log_subject operation_subject(const struct operation *op);

/*
 * Runs the engine. @fds are handed to it as 0, 1, 2 (-1: /dev/null), and op->gate as 3. The log
 * path is filled in here. When @hold is set, orphans stay zombies until the operation ends, so that
 * the pid the engine is about to report cannot be lost.
 */
MUST_CHECK int operation_engine(struct operation *op, const struct engine_request *r,
				const int fds[3], bool hold,
				void (*done)(struct operation *, uint32_t code), struct err *err);

/* Runs crossarch-prepare with @mode and the descriptor map. @run is to outlive the operation. */
MUST_CHECK int operation_prepare(struct operation *op, struct run *run, const char *mode,
				 const struct spawn_fd *fds, size_t n_fds,
				 void (*done)(struct run *, uint32_t code), struct err *err);

/* The same for `crossarch` with @argv, whose first is its name. */
MUST_CHECK int operation_cli(struct operation *op, struct run *run, const char *const *argv,
			     const struct spawn_fd *fds, size_t n_fds,
			     void (*done)(struct run *, uint32_t code), struct err *err);

/* True from the start of a run to its end. */
bool run_alive(const struct run *run);

/* From now on nobody waits for this run; it goes on. */
void run_forget(struct run *run);

/* The operation waits for something that is no run of its own: the deadline counts all the same. */
void operation_wait(struct operation *op);

/* Runs @run in a forked child (slow system calls), beside whatever else runs. */
MUST_CHECK int operation_fork(struct operation *op, int (*run)(void *arg), void *arg,
			      void (*done)(struct operation *, uint32_t code), struct err *err);

/*
 * The engine failed with @code: fetches its own words from the log and ends the operation with
 * "OCI runtime VERB failed: ...".
 */
void operation_engine_failed(struct operation *op, uint32_t code);

/* Answers the call (NULL: empty reply), frees the process for the next one, and the operation. */
void operation_succeed(struct operation *op, const ProtobufCMessage *reply);

/*
 * Runs undo if there is one (which ends the operation later), else answers with the error. An
 * engine in flight is awaited first: killed half-way it would leave what nobody knows of.
 */
void operation_fail(struct operation *op, const struct err *why);

/* Ends without undo. Frees the process for the next one, and the operation. */
void operation_end(struct operation *op, const struct err *why);

/*
 * The result is not wanted any more: whatever runs is killed, and the operation fails and is undone
 * in the usual way.
 */
void operation_abort(struct operation *op);

/* The operation must end within @after_ns from now, or by its own deadline if that is earlier. */
void operation_limit(struct operation *op, uint64_t after_ns);

/* For task_discard(): the run is killed, the call answered, nothing else happens. */
void operation_cancel(struct operation *op);
