/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/check_image.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/arena.h"
#include "runtime/base/str.h"
#include "runtime/cli/cri_choice.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/snapshots.h"
#include "runtime/host/host.h"

#define LEASE_SECONDS 300

/* One image under examination. */
struct examination {
	const struct check_image *where;
	struct rpc *rpc;
	struct image_store *store;
	char lease[64];
	bool isolated; /* mounts are ours alone */
	char why_not[200];
};

void image_answer_deinit(struct image_answer *a)
{
	for (size_t i = 0; a->verdicts && i < a->members.n; i++)
		free(a->verdicts[i].report);
	free(a->verdicts);
	a->verdicts = NULL;
	image_members_deinit(&a->members);
}

static int spec_of(const struct examination *x, const struct image_member *m, json **ret,
		   struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);

	if (x->store->blob(x->store, m->ref, &blob, err) < 0)
		return -1;
	return check_spec_of_image(blob.data, blob.len, x->where->args, ret, err);
}

static int not_unpacked(const char *snapshotter, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND,
		       "it is not unpacked in the snapshotter %s (pull it on this node)",
		       snapshotter);
}

/*
 * Through a view that exists for this one question. prepare is started by vfork() and execve(),
 * which the gRPC core's threads do not notice.
 */
static int ask(const struct examination *x, const struct image_member *m, const char *config,
	       struct report *ret, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	const char *snapshotter = x->where->snapshotter;
	struct check c = { .config = config,
			   .config_path = x->where->config_path,
			   .platform = m->declared };
	struct err removal = ERR_INIT;
	char key[128];
	int rc;

	(void)str_fmt(key, sizeof(key), "%s-%.24s", x->lease, strchr(m->manifest, ':') + 1);
	if (snapshot_view(x->rpc, snapshotter, key, m->chain, &arena, &c.mounts, &c.n_mounts, err) <
	    0)
		return err->code == ERR_NOT_FOUND ? not_unpacked(snapshotter, err) : -1;
	rc = check_run(&c, ret, err);
	if (snapshot_remove(x->rpc, snapshotter, key, &removal) < 0 && rc == 0) {
		*err = removal;
		rc = err_in(err, "remove the temporary snapshot %s", key);
	}
	return rc;
}

static void examine(const struct examination *x, struct image_verdict *v)
{
	CLEANUP_JSON json *spec = NULL;
	CLEANUP_FREE struct report *r = calloc(1, sizeof(*r));
	const struct image_member *m = v->member;
	struct err err = ERR_INIT;
	int rc = -1;

	if (!m->here)
		(void)err_set(&err, ERR_NOT_FOUND, "it is not on this node");
	else if (!x->isolated)
		(void)err_set(&err, ERR_IO, "%s", x->why_not);
	else if (!m->chain[0])
		(void)err_set(&err, ERR_NOT_FOUND, "it has no layers");
	else if (!r)
		(void)err_set(&err, ERR_NOMEM, "no memory");
	else if (spec_of(x, m, &spec, &err) == 0)
		rc = ask(x, m, json_object_to_json_string(spec), r, &err);
	if (rc == 0)
		v->report = steal(r);
	else
		(void)str_fmt(v->why, sizeof(v->why), "%.290s", err.text);
}

static int connect_to(const struct check_image *where, struct rpc **ret, struct err *err)
{
	const struct rpc_target target = {
		.socket = where->socket,
		.namespace = where->namespace,
		.timeout_ms = CHECK_TIMEOUT_MS,
	};

	return rpc_open(&target, ret, err);
}

static int examine_all(struct examination *x, struct image_answer *a, struct err *err)
{
	a->verdicts = calloc(a->members.n + 1, sizeof(*a->verdicts));
	if (!a->verdicts)
		return err_set(err, ERR_NOMEM, "no memory for %zu platforms", a->members.n);
	for (size_t i = 0; i < a->members.n; i++) {
		a->verdicts[i].member = &a->members.list[i];
		a->verdicts[i].chosen = (int)i == a->choice;
		examine(x, &a->verdicts[i]);
	}
	return 0;
}

/* The connection is never closed: main() ends with _exit(). */
int image_check(const struct check_image *where, const char *name, struct image_answer *ret,
		struct err *err)
{
	struct examination x = { .where = where };
	struct containerd_store containerd;
	struct err none = ERR_INIT;
	struct host host;

	if (host_probe(&host, err) < 0)
		return -1;
	x.isolated = check_isolate(&none) == 0;
	(void)str_fmt(x.why_not, sizeof(x.why_not), "%.180s", none.text);
	if (connect_to(where, &x.rpc, err) < 0)
		return -1;
	ret->connected = true;
	containerd_store_init(&containerd, x.rpc);
	x.store = &containerd.store;
	if (image_members_read(x.store, name, &ret->members, err) < 0)
		return -1;
	ret->choice = cri_choice(&ret->members, host.arch);
	(void)str_fmt(x.lease, sizeof(x.lease), "crossarch-check-%d-%lld", getpid(),
		      (long long)time(NULL));
	if (lease_begin(x.rpc, x.lease, LEASE_SECONDS, err) < 0)
		return -1;
	if (examine_all(&x, ret, err) < 0) {
		(void)!lease_end(x.rpc, x.lease, &none);
		return -1;
	}
	return lease_end(x.rpc, x.lease, err);
}
