/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "runtime/base/spawn.h"
#include "shim/loop/loop.h"

/*
 * Children and the rule that loses none of them. A known child is watched through its pidfd; when
 * it exits, on_exit runs while it is still a zombie, so its pid cannot belong to anybody else, and
 * only then is it reaped. Orphans that reach us as subreaper and that we do not know yet (a
 * container's init before its engine returned) are left as zombies while any hold is taken: the
 * kernel keeps pid and status for us. Without a hold child_sweep() reaps and forgets the unknown
 * ones.
 */
struct reaper {
	struct loop *loop;
	struct list children;
	unsigned int holds;
	struct timer later;    /* sweeps once the callback that released the last hold is done */
	struct source signals; /* through a signalfd */
	int signal_fd;
	void (*on_usr1)(struct reaper *); /* optional; set after reaper_init() */
};

struct exit_status {
	uint32_t code; /* exit code, or 128 + signal */
	struct timespec at;
};

struct child {
	struct source pidfd;
	struct reaper *reaper;
	struct list known;
	pid_t pid; /* 0: none; valid until on_exit returns */
	void (*on_exit)(struct child *, const struct exit_status *);
};

/*
 * Blocks the signals and watches for them; becomes subreaper. SIGTERM and SIGINT end the loop,
 * SIGCHLD and SIGUSR1 have their meaning. All other signals that could end the process do nothing,
 * because its containers would end with it.
 */
MUST_CHECK int reaper_init(struct reaper *r, struct loop *loop, struct err *err);
void reaper_deinit(struct reaper *r);

/* The first step of reaper_init(), for a process that forks the one which will do the rest. */
MUST_CHECK int reaper_block(sigset_t *ret_old, struct err *err);

/* Engine runs take a hold for as long as the pid of a process they create is unknown to us. */
void reaper_hold(struct reaper *r);
void reaper_release(struct reaper *r);

/* Watches @pid, our child or about to be re-parented to us; also when it is a zombie already. */
MUST_CHECK int child_watch(struct child *c, struct reaper *r, pid_t pid,
			   void (*on_exit)(struct child *, const struct exit_status *),
			   struct err *err);

/* Starts a program and watches it. */
MUST_CHECK int child_spawn(struct child *c, struct reaper *r, const struct spawn *what,
			   void (*on_exit)(struct child *, const struct exit_status *),
			   struct err *err);

/*
 * Forks a process that runs @run(@arg) and exits with what it returns (0 to 255): for system calls
 * that may block for long. The child has our memory as it is now and must only make system calls;
 * of our descriptors it has the first three.
 */
MUST_CHECK int child_fork(struct child *c, struct reaper *r, int (*run)(void *arg), void *arg,
			  void (*on_exit)(struct child *, const struct exit_status *),
			  struct err *err);

/* Sends a signal to exactly this process. ERR_NOT_FOUND when it is gone or was never there. */
MUST_CHECK int child_signal(const struct child *c, int sig, struct err *err);

/* Stops watching; the process, if it lives, goes on and is reaped as an unknown one later. */
void child_forget(struct child *c);

/* Kills a watched process and reaps it, within @bound_ms if the kernel lets go of it; no on_exit.
 */
void child_end(struct child *c, int bound_ms);
