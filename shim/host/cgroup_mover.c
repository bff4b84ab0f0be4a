/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/cgroup_mover.h"

#include <sys/prctl.h>

#include "runtime/base/cgroup_rejoin.h"
#include "runtime/base/log.h"

#define END_BOUND_MS 1000

int cgroup_mover_run(void *unused)
{
	(void)unused;
	(void)prctl(PR_SET_NAME, CGROUP_MOVER_NAME);
	(void)cgroup_rejoin();
	return 0;
}

static void on_moved(struct child *c, const struct exit_status *status)
{
	(void)c;
	(void)status;
}

void cgroup_mover_expect(struct cgroup_mover *g, struct reaper *reaper)
{
	struct err err;

	if (g->mover.pidfd.loop)
		return;
	if (child_fork(&g->mover, reaper, cgroup_mover_run, NULL, on_moved, &err) < 0)
		log_write(LOG_DEBUG, LOG_NOTHING, LOG_FIELDS(.error = err.text),
			  "cgroup of the shim");
}

void cgroup_mover_end(struct cgroup_mover *g)
{
	child_end(&g->mover, END_BOUND_MS);
}
