/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/task.h"

/*
 * Emulated programs that crash as process 1 of a pid namespace: their emulator cannot end
 * (shim/host/crashed.h), so it is ended here, and containerd gets the exit code that it was about
 * to end with.
 *
 * No event of the kernel tells of such a death: to a pidfd and to the cgroup the process lives on,
 * and the proc connector has no message about signals. What would see it is nothing to leave in a
 * container: ptrace stops every signal and keeps debuggers out, a seccomp notification would stop
 * every shell that waits for a child, and an init of our own in front of the program changes what
 * the program sees. So a timer looks, for as long as such a process runs, and what it looks at is
 * the processor time of the process: while that stands still nothing can have happened.
 */

/* The init of @t runs from now on: watches it if it is an emulated process 1. */
void crash_watch(struct task *t);

/*
 * Begins to watch every init that a native program has handed over to an emulator with execve()
 * since, as far as the emulator's file is named like qemu-user. One readlink() for each native
 * init: called when the shim has nothing else to do.
 */
void crash_watch_late(struct service *s);

/* The init ended with @status: the exit code of the crash, if it was ended for one, is put there.
 */
void crash_ended(const struct task *t, struct exit_status *status);

/* The timer of a service; to be set once, and disarmed by the service. */
void crash_on_look(struct timer *timer);
