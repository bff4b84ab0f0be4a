/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/unmounter.h"

#include "runtime/base/log.h"
#include "shim/host/unmount.h"
#include "shim/task/service.h"

bool unmounter_runs(const struct task *t)
{
	return t->unmounter.child.pidfd.loop;
}

static void on_ended(struct child *c, const struct exit_status *status)
{
	struct task *t = container_of(c, struct task, unmounter.child);
	void (*done)(struct task *) = t->unmounter.done;

	t->unmounter.done = NULL;
	t->mounted = status->code != 0;
	if (done)
		done(t);
	else
		log_info(t->id, "the unmounting of the root file system has ended: %s",
			 t->mounted ? "something is mounted still" : "nothing is mounted any more");
}

int unmounter_begin(struct task *t, void (*done)(struct task *), struct err *err)
{
	if (!unmounter_runs(t) && child_fork(&t->unmounter.child, &t->service->reaper,
					     bundle_unmount, t->bundle, on_ended, err) < 0)
		return -1;
	t->unmounter.done = done;
	return 0;
}

void unmounter_leave(struct task *t)
{
	t->unmounter.done = NULL;
}

void unmounter_forget(struct task *t)
{
	child_forget(&t->unmounter.child);
}
