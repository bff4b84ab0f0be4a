/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/deferred.h"

static void run_or_expire(struct call *call)
{
	struct err err;

	if (!call->deadline_ns || call->deadline_ns > now_ns()) {
		call->method->run(call->server->owner, call);
		return;
	}
	err_set(&err, ERR_TIMEOUT, "%s: deadline passed while another operation ran",
		call->method->name);
	call_fail(call, &err);
}

static void on_soon(struct timer *t)
{
	struct deferred *d = container_of(t, struct deferred, soon);
	struct call *call;
	struct list now;

	list_take_all(&now, &d->runnable);
	while ((call = list_first(&now, struct call, parked))) {
		call_unpark(call);
		run_or_expire(call);
	}
}

void deferred_init(struct deferred *d, struct loop *loop)
{
	*d = (struct deferred){ .loop = loop, .soon.on_fire = on_soon };
	list_init(&d->runnable);
}

void deferred_deinit(struct deferred *d)
{
	timer_disarm(&d->soon);
}

void deferred_run(struct deferred *d, struct list *calls)
{
	list_for_each_safe(node, calls) {
		list_del(node);
		list_add(&d->runnable, node);
	}
	if (!list_empty(&d->runnable))
		timer_arm(&d->soon, d->loop, 0);
}
