/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/image_check.h"

#include <stdlib.h>

#include "runtime/arch/platform.h"
#include "runtime/base/str.h"
#include "runtime/cli/check_guard.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/lease.h"
#include "runtime/host/host.h"

/* --- what CRI takes -------------------------------------------------------------------------- */

/* What a node takes, best first; containerd's platforms.DefaultSpec() and its vector. */
struct taken {
	const char *host;
	const char *platforms; /* separated by spaces, in containerd's normal form */
};

static const struct taken table[] = {
	{ "amd64", "linux/amd64 linux/386" },
	{ "arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5" },
	{ "arm", "linux/arm/v7 linux/arm/v6 linux/arm/v5" },
};

/* The place of @platform in the list, 0 the best; -1 when it is not there. */
static int rank_in(const char *list, const char *platform)
{
	int rank = 0;

	while (*list) {
		const char *rest = str_after(list, platform);

		if (rest && (*rest == ' ' || !*rest))
			return rank;
		list += strcspn(list, " ");
		list += *list == ' ';
		rank++;
	}
	return -1;
}

static int rank_of(const char *host, const char *text)
{
	char normal[PLATFORM_TEXT], own[PLATFORM_TEXT];
	struct platform p;
	struct err ignored;

	if (platform_parse(text, &p, &ignored) < 0)
		return -1;
	platform_format(&p, normal);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (str_eq(table[i].host, host))
			return rank_in(table[i].platforms, normal);
	(void)str_fmt(own, sizeof(own), "linux/%s", host);
	return str_eq(own, normal) ? 0 : -1;
}

int cri_choice(const struct image_members *m, const struct arch *host)
{
	int best = -1, best_rank = -1;

	if (!m->index)
		return m->n ? 0 : -1;
	for (size_t i = 0; i < m->n; i++) {
		int rank = rank_of(host->name, m->list[i].platform);

		if (rank >= 0 && (best < 0 || rank < best_rank)) {
			best = (int)i;
			best_rank = rank;
		}
	}
	return best;
}

/* --- looking into an image ------------------------------------------------------------------- */

/* One image under examination. */
struct examination {
	const struct image_check *where;
	struct image_judge judge;
};

void image_answer_deinit(struct image_answer *a)
{
	for (size_t i = 0; a->verdicts && i < a->members.n; i++)
		free(a->verdicts[i].report);
	free(a->verdicts);
	a->verdicts = NULL;
	image_members_deinit(&a->members);
}

static int connect_to(const struct image_check *where, struct rpc **ret, struct err *err)
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
		if (!x->where->wanted || a->verdicts[i].member == a->wish.chosen)
			image_judge(&x->judge, &a->verdicts[i]);
	}
	return 0;
}

/* Everything that is made in containerd is under one lease. */
static int examine_under_lease(struct examination *x, struct image_answer *a, struct err *err)
{
	struct err none = ERR_INIT;

	rpc_allow(x->judge.rpc, CHECK_TIMEOUT_MS);
	if (lease_begin(x->judge.rpc, x->judge.lease, IMAGE_LEASE_SECONDS, err) < 0)
		return -1;
	if (examine_all(x, a, err) < 0) {
		(void)!lease_end(x->judge.rpc, x->judge.lease, &none);
		return -1;
	}
	return lease_end(x->judge.rpc, x->judge.lease, err);
}

/* By the name as it was typed, else by what containerd calls it: python is docker.io's. */
static int read_members(struct image_store *store, const char *name, struct image_answer *ret,
			struct err *err)
{
	struct image_reference whole;
	struct err other;

	ret->name = name;
	if (image_members_read(store, name, &ret->members, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND || image_reference_parse(name, &whole, &other) < 0)
		return -1;
	image_reference_format(&whole, ret->full_name);
	if (str_eq(name, ret->full_name) ||
	    image_members_read(store, ret->full_name, &ret->members, &other) < 0)
		return -1;
	ret->name = ret->full_name;
	return 0;
}

/* The connection is never closed: main() ends with _exit(). */
static int look_up(struct examination *x, struct containerd_store *containerd, const char *name,
		   struct image_answer *ret, struct err *err)
{
	struct host host;

	if (host_probe(&host, err) < 0)
		return -1;
	image_judge_isolate(&x->judge);
	if (connect_to(x->where, &x->judge.rpc, err) < 0)
		return -1;
	ret->connected = true;
	containerd_store_init(containerd, x->judge.rpc);
	x->judge.store = &containerd->store;
	if (read_members(x->judge.store, name, ret, err) < 0)
		return -1;
	ret->choice = cri_choice(&ret->members, host.arch);
	if (x->where->wanted)
		image_wish_read(
			&(struct image_question){
				.store = x->judge.store,
				.members = &ret->members,
				.choice = ret->choice,
				.name = name, /* as a pod would have it */
				.wanted = x->where->wanted,
				.args = x->where->args,
				.config_path = x->where->config_path,
			},
			&ret->wish);
	return 0;
}

int image_look(const struct image_check *where, const char *lease, const char *name,
	       struct image_answer *ret, struct err *err)
{
	struct examination x = { where,
				 { .snapshotter = where->snapshotter,
				   .config_path = where->config_path,
				   .prepare = where->prepare,
				   .args = where->args,
				   .wanted = where->wanted,
				   .lease = lease,
				   .unpack = true } };
	struct containerd_store containerd;

	ret->looked = false;
	if (look_up(&x, &containerd, name, ret, err) < 0)
		return -1;
	ret->looked = true;
	return examine_under_lease(&x, ret, err);
}

int image_check(const struct image_check *where, const char *name, struct image_answer *ret,
		struct err *err)
{
	CLEANUP_GUARD struct guard guard = GUARD_INIT;
	char lease[IMAGE_LEASE_MAX];
	const struct guarded guarded = { where->socket, where->namespace, lease };
	int rc;

	image_judge_lease("check", lease);
	if (guard_start(&guard, &guarded, err) < 0)
		return -1;
	rc = image_look(where, lease, name, ret, err);
	if (rc < 0 && ret->looked)
		return -1; /* what is left is for the guard */
	guard_end(&guard);
	return rc;
}
