/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/unmounter.h"

#include "runtime/base/log.h"
#include "shim/host/unmount.h"

static void on_ended(struct child *c, const struct exit_status *status)
{
	struct unmounter *u = container_of(c, struct unmounter, child);
	void (*done)(struct unmounter *) = u->done;

	u->done = NULL;
	u->mounted = status->code != 0;
	if (done)
		done(u);
	else
		log_info(u->about, "the unmounting of the root file system has ended: %s",
			 u->mounted ? "something is mounted still" : "nothing is mounted any more");
}

int unmounter_begin(struct unmounter *u, struct reaper *reaper, char *bundle,
		    void (*done)(struct unmounter *), struct err *err)
{
	bool runs = u->child.pidfd.loop;

	if (!runs && child_fork(&u->child, reaper, bundle_unmount, bundle, on_ended, err) < 0)
		return -1;
	u->done = done;
	return 0;
}

void unmounter_leave(struct unmounter *u)
{
	u->done = NULL;
}

void unmounter_forget(struct unmounter *u)
{
	child_forget(&u->child);
}
