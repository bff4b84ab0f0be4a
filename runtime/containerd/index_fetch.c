/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/index_fetch.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/arena.h"
#include "runtime/base/str.h"
#include "runtime/containerd/lease.h"
#include "runtime/containerd/pull_failure.h"

#define ANSWER_MAX (16u << 20)
#define ANSWER_MS 30000
#define POLL_MS 50
#define LEASE_SECONDS 3600

/* Blobs that were looked at; an image whose first so many are no manifest is none. */
#define SEEN_MAX 64

struct watch {
	struct rpc *rpc;
	struct image_store *store;
	const char *lease;
	char seen[SEEN_MAX][DIGEST_MAX];
	size_t n_seen;
};

static bool was_seen(const struct watch *w, const char *digest)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (str_eq(w->seen[i], digest))
			return true;
	return w->n_seen == SEEN_MAX;
}

/* Whether the blob is all that has to be known; a manifest is looked at until its configuration is
 * there. */
static bool look_at(struct watch *w, const char *digest, struct image_members *ret)
{
	CLEANUP_MEMBERS struct image_members m = { .list = NULL };
	struct err err = ERR_INIT;

	if (was_seen(w, digest))
		return false;
	if (image_members_of_digest(w->store, digest, &m, &err) < 0) {
		if (err.code == ERR_INVALID || err.code == ERR_LIMIT)
			(void)str_copy(w->seen[w->n_seen++], DIGEST_MAX, digest);
		return false;
	}
	if (!m.index && (!m.n || !m.list[0].here))
		return false;
	image_members_deinit(ret);
	*ret = m;
	m = (struct image_members){ .list = NULL };
	return true;
}

/*
 * What the lease keeps by now. An index counts more than manifests, which it leads to, and the
 * index with most members more than those it leads to.
 */
static bool look(struct watch *w, struct image_members *ret)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	CLEANUP_MEMBERS struct image_members best = { .list = NULL };
	CLEANUP_MEMBERS struct image_members m = { .list = NULL };
	struct lease_resource *all;
	struct err ignored;
	size_t n;

	rpc_allow(w->rpc, ANSWER_MS);
	if (lease_list(w->rpc, w->lease, &arena, &all, &n, &ignored) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(all[i].type, "content") || !look_at(w, all[i].id, &m))
			continue;
		if (best.list && (best.index > m.index || (best.index == m.index && best.n >= m.n)))
			continue;
		image_members_deinit(&best);
		best = m;
		m = (struct image_members){ .list = NULL };
	}
	if (!best.list)
		return false;
	*ret = best;
	best = (struct image_members){ .list = NULL };
	return true;
}

static int watch_pull(struct watch *w, const struct pull_request *request,
		      struct image_members *ret, struct err *err)
{
	struct rpc_pending *pull;
	char config[DIGEST_MAX];

	rpc_allow(w->rpc, 0);
	if (pull_begin(w->rpc, request, &pull, err) < 0)
		return -1;
	while (!rpc_wait(pull, POLL_MS))
		if (look(w, ret)) {
			rpc_abandon(pull);
			return 0;
		}
	if (pull_finish(pull, config, err) < 0)
		return look(w, ret) ? 0 : -1;
	if (look(w, ret))
		return 0;
	return err_set(err, ERR_NOT_FOUND, "%.200s was pulled and has left no manifest",
		       request->image);
}

int index_fetch(struct rpc *rpc, struct image_store *store, const struct pull_request *request,
		struct image_members *ret, struct err *err)
{
	struct watch w = { .rpc = rpc, .store = store };
	struct err ignored;
	char lease[80];
	int r;

	(void)str_fmt(lease, sizeof(lease), "crossarch-index-%d-%lld", getpid(),
		      (long long)time(NULL));
	w.lease = lease;
	rpc_allow(rpc, ANSWER_MS);
	if (lease_begin(rpc, lease, LEASE_SECONDS, err) < 0)
		return -1;
	r = watch_pull(&w, request, ret, err);
	rpc_leave_lease(rpc);
	rpc_allow(rpc, ANSWER_MS);
	if (r < 0 && pull_failure_of(err->text) == PULL_CORRUPT)
		(void)!lease_drop(rpc, lease, &ignored);
	else
		(void)!lease_end(rpc, lease, &ignored); /* or it expires */
	return r;
}
