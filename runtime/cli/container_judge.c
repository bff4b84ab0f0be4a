/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/container_judge.h"

#include <stdlib.h>

#include "runtime/base/str.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/output.h"
#include "runtime/containerd/image_platform.h"
#include "runtime/containerd/snapshot_look.h"

#define ANSWER_MS 30000

void container_verdict_deinit(struct container_verdict *v)
{
	free(v->report);
	v->report = NULL;
}

static void read_platform(const struct node_container *c, struct container_verdict *v)
{
	struct image_platform p;
	struct err ignored;

	rpc_allow(c->space->rpc, ANSWER_MS);
	if (image_platform_of_container(&c->space->containerd.store, c->entry.id, &p, &ignored) ==
	    0)
		(void)str_copy(v->platform, sizeof(v->platform), p.platform);
}

/* One without a snapshot has its root file system where its specification says. */
static int look(const struct node_container *c, struct arena *arena, struct dry_run *q,
		struct err *err)
{
	if (!*c->entry.snapshot)
		return 0;
	rpc_allow(c->space->rpc, ANSWER_MS);
	if (snapshot_look(c->space->rpc, c->entry.snapshotter, c->entry.snapshot, arena, &q->mounts,
			  &q->n_mounts, err) == 0)
		return 0;
	if (err->code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "its snapshot is gone from the snapshotter %s",
			       c->entry.snapshotter);
	return -1;
}

static int ask(const struct container_judge *j, const struct node_container *c,
	       const struct container_verdict *v, struct report *ret, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	struct dry_run q = { .config = c->entry.spec,
			     .config_path = j->config_path,
			     .prepare = j->prepare,
			     .platform = *v->platform ? v->platform : NULL };

	if (!j->isolated)
		return err_set(err, ERR_IO, "%s", j->why_not);
	if (!c->entry.spec)
		return err_set(err, ERR_NOT_FOUND, "containerd has no specification of it");
	return look(c, &arena, &q, err) < 0 ? -1 : dry_run(&q, ret, err);
}

void container_judge(const struct container_judge *j, const struct node_container *c,
		     struct container_verdict *ret)
{
	CLEANUP_FREE struct report *r = calloc(1, sizeof(*r));
	struct err err = ERR_INIT;

	*ret = (struct container_verdict){ .platform = "" };
	read_platform(c, ret);
	if (!r)
		(void)err_set(&err, ERR_NOMEM, "no memory");
	else if (ask(j, c, ret, r, &err) == 0)
		ret->report = steal(r);
	if (!ret->report)
		(void)shown(ret->why, sizeof(ret->why), err.text);
}
