/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "proto/task.pb-c.h"
#include "runtime/base/list.h"
#include "shim/engine/argv.h"
#include "shim/host/stdio.h"
#include "shim/loop/child.h"
#include "shim/task/context.h"
#include "shim/task/state.h"
#include "shim/task/unmounter.h"
#include "shim/ttrpc/server.h"

/*
 * The containers of one shim and their processes. Ownership is a tree: struct tasks owns them, a
 * task owns its init and its execs, a process owns its stdio and the calls parked on it. Nothing
 * points into a request's arena except while that request's call is parked.
 */
#define TASKS_MAX 256
#define EXECS_MAX 256

struct task;
struct operation;

struct process {
	struct child child; /* pid 0 until the engine made it */
	struct task *task;
	struct list in_task;  /* execs only */
	char *exec_id;	      /* NULL: init */
	char *in, *out, *err; /* stdio as containerd named it, for State */
	struct stdio io;
	enum process_state state;
	struct exit_status exit; /* valid once exited */
	pid_t pid;		 /* stays after the exit, for replies and events */
	bool terminal;
	bool exited;	      /* the kernel reported the exit */
	bool published;	      /* TaskExit was queued and Wait was answered */
	bool late_check;      /* its end is being explained; the exit is published after that */
	bool refused;	      /* an exec whose process only says why (exec_refusal.h) */
	bool deleting;	      /* Delete is on its way: no other operation may begin */
	struct list waiters;  /* calls parked until the exit */
	struct list deferred; /* calls that wait for the operation in flight */
	struct operation *op; /* what is in flight on this process, or NULL */
};

/* Of an init that an emulator runs, crash_watch.h. */
struct crash {
	bool watched, proving;
	bool moved;	    /* the processor time changed between the last two looks */
	uint64_t clock;	    /* the processor time at the last look */
	unsigned int looks; /* since all threads were looked at */
	int signal;	    /* the signal it crashed of, for which the shim ended it; 0: none */
};

struct task {
	struct list in_tasks;
	const struct context *context;
	char *id, *bundle;
	char *engine_path, *engine_root;
	char *checkpoint; /* Create named one: Start restores from it */
	char *criu_work_path;
	char *cgroup;	   /* kept until it is in the engine's record (engine_record.h) */
	char *private_pod; /* NULL unless the pod may have emulators of its own: its sandbox */
	int termination;   /* the termination message file, open for appending; -1: none */
	bool systemd_cgroup, no_pivot, no_new_keyring, private_pid, poststop;
	bool emulated; /* what Create saw init start with; it may execute something else since */
	uid_t io_uid;
	gid_t io_gid;
	struct process init;
	struct crash crash;
	struct list execs;
	unsigned int n_execs;
	bool kills_rest;	/* init has ended; its exit is published once the rest is killed */
	struct list operations; /* everything in flight, with a process to itself or without */
	unsigned int
		n_concurrent; /* operations without a process so far; numbers their log files */
	struct unmounter unmounter;
	struct task_host *host; /* cgroup and OOM watch; NULL until created */
};

/* A task with its init in CREATING. NULL without memory. */
struct task *task_new(const struct context *context, const char *id, const char *bundle);

/*
 * Unlinks and frees a task with nothing in flight (discard.h ends that first), and its execs;
 * parked calls are answered with NOT_FOUND. NULL is fine.
 */
struct task *task_free(struct task *task);

/* An exec in CREATED, linked into the task. NULL without memory. */
struct process *exec_new(struct task *task, const char *exec_id);

/* Unlinks and frees an exec with nothing in flight; its parked calls are answered with NOT_FOUND.
 */
void exec_free(struct process *p);

/* Stores the stdio strings of a Create or Exec. ERR_NOMEM. */
MUST_CHECK int process_set_stdio(struct process *p, const char *in, const char *out,
				 const char *err_path, bool terminal, struct err *err);

/* Opens the streams; on_ready as in stdio.h, unless stdio_is_ready() afterwards. */
MUST_CHECK int process_open_stdio(struct process *p,
				  void (*on_ready)(struct stdio *, const struct err *),
				  struct err *err);

/* The id containerd knows a process by: exec id, or container id for init. */
const char *process_id(const struct process *p);

/* What lines in the log are about that no request brought about (operation.h). */
struct log_subject task_subject(const struct task *task);
struct log_subject process_subject(const struct process *p);

/* What engine_argv() needs of this task. Points into the task. */
struct engine task_engine(const struct task *task);
