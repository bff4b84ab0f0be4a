/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/ttrpc/server.h"

/* Calls whose turn has come after they had waited for something: they run from the loop. */
struct deferred {
	struct loop *loop;
	struct list runnable;
	struct timer soon; /* armed while there are any */
};

void deferred_init(struct deferred *d, struct loop *loop);

/* No call runs any more; those that were to are the server's to free. */
void deferred_deinit(struct deferred *d);

/*
 * Takes all of @calls, parked with call_park(), and runs their methods again from the loop, from
 * the start and in order. A method looks up anew what it is about, so it does not matter what
 * became of that, and parks its call again if it still has to wait. A call whose deadline has
 * passed by then is answered with ERR_TIMEOUT.
 */
void deferred_run(struct deferred *d, struct list *calls);
