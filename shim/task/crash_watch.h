/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/tasks.h"

/*
 * Emulated programs that crash as process 1 of a pid namespace: their emulator cannot end
 * (shim/host/crashed_emulator.h), so it is ended here, and containerd gets the exit code that it
 * was about to end with.
 *
 * The kernel has no event for such a death: for a pidfd and for the cgroup the process still lives,
 * and the proc connector has no message about signals. The means that would notice it would disturb
 * the container: ptrace stops every signal and keeps debuggers out, a seccomp notification would
 * stop every shell that waits for a child, and an init of our own in front of the program would
 * change what the program sees. So a timer looks, for as long as such a process runs, and it looks
 * at the processor time of the process first: if that has not changed, nothing can have happened.
 */

/* The looks at all containers of a shim: context->looks is the timer of it. */
struct crash_looks {
	struct timer timer; /* armed while an emulated init runs */
	const struct tasks *tasks;
};

void crash_looks_init(struct crash_looks *l, const struct tasks *tasks);
void crash_looks_deinit(struct crash_looks *l);

/* The init of @t runs from now on: watches it if it is an emulated process 1. */
void crash_watch(struct task *t);

/*
 * Begins to watch every init that started as a native program and has since replaced itself, with
 * execve(), by a program that runs under an emulator whose file is named like qemu-user. Costs one
 * readlink() for each native init, so it is called when the shim has nothing else to do.
 */
void crash_watch_late(const struct tasks *tasks);

/* The init ended with @status; if we ended it for a crash, puts the exit code of the crash there.
 */
void crash_ended(const struct task *t, struct exit_status *status);
