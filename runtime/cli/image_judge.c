/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/image_judge.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/arena.h"
#include "runtime/base/str.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/output.h"
#include "runtime/containerd/snapshots.h"
#include "runtime/containerd/unpack.h"

void image_judge_lease(const char *command, char ret[static IMAGE_LEASE_MAX])
{
	(void)str_fmt(ret, IMAGE_LEASE_MAX, "crossarch-%s-%d-%lld", command, getpid(),
		      (long long)time(NULL));
}

void image_judge_isolate(struct image_judge *j)
{
	struct err none = ERR_INIT;

	j->isolated = dry_run_isolate(&none) == 0;
	(void)str_fmt(j->why_not, sizeof(j->why_not), "%.180s", none.text);
}

int image_judge_spec(const struct image_judge *x, const struct image_member *m, json **ret,
		     struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);

	if (x->store->blob(x->store, m->ref, &blob, err) < 0 ||
	    spec_of_image(blob.data, blob.len, x->args, ret, err) < 0)
		return -1;
	if (x->wanted)
		spec_ask_for(*ret, x->wanted);
	return 0;
}

/* The layers, from the manifest and the configuration of @m. */
static int layers_of(const struct image_judge *x, const struct image_member *m,
		     struct image_layers *ret, struct err *err)
{
	CLEANUP_BUF struct buf manifest = BUF_INIT(BLOB_MAX);
	CLEANUP_BUF struct buf config = BUF_INIT(BLOB_MAX);

	if (x->store->blob(x->store, m->manifest, &manifest, err) < 0 ||
	    x->store->blob(x->store, m->ref, &config, err) < 0)
		return -1;
	return image_layers_parse(manifest.data, manifest.len, config.data, config.len, ret, err);
}

/* Imported or pulled without being unpacked: that is made up for, out of everybody else's way. */
static int unpack_member(const struct image_judge *x, const struct image_member *m,
			 const char *prefix, char *ret_top, size_t size, struct err *err)
{
	CLEANUP_LAYERS struct image_layers layers = { NULL, 0 };

	if (layers_of(x, m, &layers, err) == 0 &&
	    unpack_layers(x->rpc, x->snapshotter, prefix, &layers, ret_top, size, err) == 0)
		return 0;
	return err_in(
		err, "it is not unpacked in the snapshotter %s, and unpacking it for a look failed",
		x->snapshotter);
}

static int view_member(const struct image_judge *x, const struct image_member *m,
		       const char *prefix, struct arena *arena, struct dry_run *c, struct err *err)
{
	const char *snapshotter = x->snapshotter;
	char key[160], top[200];

	(void)str_fmt(key, sizeof(key), "%s-view", prefix);
	if (snapshot_view(x->rpc, snapshotter, key, m->chain, arena, &c->mounts, &c->n_mounts,
			  err) == 0)
		return 0;
	if (!x->unpack && err->code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "it is not unpacked in the snapshotter %s",
			       snapshotter);
	if (err->code != ERR_NOT_FOUND || unpack_member(x, m, prefix, top, sizeof(top), err) < 0)
		return -1;
	return snapshot_view(x->rpc, snapshotter, key, top, arena, &c->mounts, &c->n_mounts, err);
}

/*
 * Through a view that exists for this one question. prepare is started by vfork() and execve(),
 * which the gRPC core's threads do not notice.
 */
static int judge_member(const struct image_judge *x, const struct image_member *m,
			const char *config, struct report *ret, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	struct dry_run c = { .config = config,
			     .config_path = x->config_path,
			     .prepare = x->prepare,
			     .platform = m->declared };
	struct err removal = ERR_INIT;
	char prefix[128];
	int rc;

	rpc_allow(x->rpc, IMAGE_JUDGE_MS);
	(void)str_fmt(prefix, sizeof(prefix), "%s-%.24s", x->lease, strchr(m->manifest, ':') + 1);
	rc = view_member(x, m, prefix, &arena, &c, err);
	if (rc == 0)
		rc = dry_run(&c, ret, err);
	rpc_allow(x->rpc, IMAGE_JUDGE_MS);
	if (lease_empty(x->rpc, x->lease, &removal) < 0 && rc == 0) {
		*err = removal;
		rc = -1;
	}
	return rc;
}

void image_judge_as(const struct image_judge *x, const char *config, struct image_verdict *v)
{
	CLEANUP_FREE struct report *r = calloc(1, sizeof(*r));
	struct err err = ERR_INIT;
	int rc = -1;

	if (!x->isolated)
		(void)err_set(&err, ERR_IO, "%s", x->why_not);
	else if (!r)
		(void)err_set(&err, ERR_NOMEM, "no memory");
	else
		rc = judge_member(x, v->member, config, r, &err);
	if (rc == 0)
		v->report = steal(r);
	else
		(void)shown(v->why, sizeof(v->why), err.text);
}

void image_judge(const struct image_judge *x, struct image_verdict *v)
{
	CLEANUP_JSON json *spec = NULL;
	const struct image_member *m = v->member;
	struct err err = ERR_INIT;

	if (*m->damage)
		(void)err_set(&err, ERR_INVALID, "it cannot be read: %s", m->damage);
	else if (!m->here)
		(void)err_set(&err, ERR_NOT_FOUND, "it is not on this node");
	else if (!m->chain[0])
		(void)err_set(&err, ERR_NOT_FOUND, "it has no layers");
	else if (image_judge_spec(x, m, &spec, &err) == 0)
		image_judge_as(x, json_object_to_json_string(spec), v);
	if (err.code)
		(void)shown(v->why, sizeof(v->why), err.text);
}
