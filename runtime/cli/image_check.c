/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/image_check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/arch/platform.h"
#include "runtime/base/arena.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/dry_run.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/snapshots.h"
#include "runtime/containerd/unpack.h"
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

/* --- taking back what a killed check made ---------------------------------------------------- */

/*
 * A process that removes what the check of an image made, in case the checker is killed: it waits
 * for the checker's end. The checker tells it when nothing is left to remove. If it is killed as
 * well, the lease expires, and containerd removes what belongs to the lease.
 */
struct guard {
	pid_t pid;
	int fd; /* open as long as there is something to remove; -1: no guard */
};

#define GUARD_INIT        \
	{                 \
		.fd = -1, \
	}
#define CLEANUP_GUARD CLEANUP(guard_drop)

#define ANSWER_MS 30000
#define TRIES 20

static const struct timespec settle = { .tv_nsec = 200000000 };

struct watched {
	const char *socket, *namespace, *lease;
	pid_t pid;
};

/* Signals from the checker's terminal are not for us, nor may we hold its output open. */
static void stand_aside(void)
{
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
}

/*
 * Twice: a call of the checker may still be at work in the daemon. What that makes is in the lease
 * as long as there is one, and in nothing at all afterwards.
 */
static int take_back(const struct watched *w, struct err *err)
{
	const struct rpc_target target = { .socket = w->socket,
					   .namespace = w->namespace,
					   .timeout_ms = ANSWER_MS };
	CLEANUP_RPC struct rpc *rpc = NULL;

	if (rpc_open(&target, &rpc, err) < 0)
		return -1;
	if (lease_empty(rpc, w->lease, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1; /* it had not come to a lease */
	nanosleep(&settle, NULL);
	return lease_empty(rpc, w->lease, err) < 0 ? -1 : lease_end(rpc, w->lease, err);
}

static void watch(int fd, const struct watched *w)
{
	struct err ignored;
	char done;
	ssize_t n;

	stand_aside();
	while ((n = read(fd, &done, 1)) < 0 && errno == EINTR)
		continue;
	if (n == 1)
		_exit(0);
	dry_run_sweep(w->pid);
	for (int i = 0; i < TRIES && take_back(w, &ignored) < 0; i++)
		nanosleep(&settle, NULL);
	_exit(0);
}

/* Forks, so before the first gRPC call. The strings have to live as long as this process. */
static int guard_start(struct guard *g, const char *socket, const char *namespace,
		       const char *lease, struct err *err)
{
	const struct watched w = { socket, namespace, lease, getpid() };
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;

	if (fd_pipe(&in, &out, 0, err) < 0)
		return -1;
	g->pid = fork();
	if (g->pid < 0)
		return err_sys(err, ERR_IO, "fork");
	if (g->pid == 0) {
		fd_close(&out);
		watch(in, &w);
	}
	g->fd = fd_steal(&out);
	return 0;
}

/* Nothing is left to remove: ends the guard. */
static void guard_end(struct guard *g)
{
	if (g->fd < 0)
		return;
	(void)!write(g->fd, "", 1);
	fd_close(&g->fd);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* Something may be left: the guard removes it. Does not wait for that. */
static void guard_drop(struct guard *g)
{
	fd_close(&g->fd);
}

/* --- looking into an image ------------------------------------------------------------------- */

/* A lease longer than any unpacking takes. */
#define LEASE_SECONDS 3600

/* One image under examination. */
struct examination {
	const struct image_check *where;
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

	if (x->store->blob(x->store, m->ref, &blob, err) < 0 ||
	    spec_of_image(blob.data, blob.len, x->where->args, ret, err) < 0)
		return -1;
	if (x->where->wanted)
		spec_ask_for(*ret, x->where->wanted);
	return 0;
}

/* --- looking into one ------------------------------------------------------------------------ */

/* The layers, from the manifest and the configuration of @m. */
static int layers_of(const struct examination *x, const struct image_member *m,
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
static int unpack_member(const struct examination *x, const struct image_member *m,
			 const char *prefix, char *ret_top, size_t size, struct err *err)
{
	CLEANUP_LAYERS struct image_layers layers = { NULL, 0 };

	if (layers_of(x, m, &layers, err) == 0 &&
	    unpack_layers(x->rpc, x->where->snapshotter, prefix, &layers, ret_top, size, err) == 0)
		return 0;
	return err_in(
		err, "it is not unpacked in the snapshotter %s, and unpacking it for a look failed",
		x->where->snapshotter);
}

static int view_member(const struct examination *x, const struct image_member *m,
		       const char *prefix, struct arena *arena, struct dry_run *c, struct err *err)
{
	const char *snapshotter = x->where->snapshotter;
	char key[160], top[200];

	(void)str_fmt(key, sizeof(key), "%s-view", prefix);
	if (snapshot_view(x->rpc, snapshotter, key, m->chain, arena, &c->mounts, &c->n_mounts,
			  err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND || unpack_member(x, m, prefix, top, sizeof(top), err) < 0)
		return -1;
	return snapshot_view(x->rpc, snapshotter, key, top, arena, &c->mounts, &c->n_mounts, err);
}

/*
 * Through a view that exists for this one question. prepare is started by vfork() and execve(),
 * which the gRPC core's threads do not notice.
 */
static int judge_member(const struct examination *x, const struct image_member *m,
			const char *config, struct report *ret, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	struct dry_run c = { .config = config,
			     .config_path = x->where->config_path,
			     .platform = m->declared };
	struct err removal = ERR_INIT;
	char prefix[128];
	int rc;

	rpc_allow(x->rpc, CHECK_TIMEOUT_MS);
	(void)str_fmt(prefix, sizeof(prefix), "%s-%.24s", x->lease, strchr(m->manifest, ':') + 1);
	rc = view_member(x, m, prefix, &arena, &c, err);
	if (rc == 0)
		rc = dry_run(&c, ret, err);
	rpc_allow(x->rpc, CHECK_TIMEOUT_MS);
	if (lease_empty(x->rpc, x->lease, &removal) < 0 && rc == 0) {
		*err = removal;
		rc = -1;
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
		rc = judge_member(x, m, json_object_to_json_string(spec), r, &err);
	if (rc == 0)
		v->report = steal(r);
	else
		(void)str_fmt(v->why, sizeof(v->why), "%.390s", err.text);
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
			examine(x, &a->verdicts[i]);
	}
	return 0;
}

/* Everything that is made in containerd is under one lease. */
static int examine_under_lease(struct examination *x, struct image_answer *a, struct err *err)
{
	struct err none = ERR_INIT;

	rpc_allow(x->rpc, CHECK_TIMEOUT_MS);
	if (lease_begin(x->rpc, x->lease, LEASE_SECONDS, err) < 0)
		return -1;
	if (examine_all(x, a, err) < 0) {
		(void)!lease_end(x->rpc, x->lease, &none);
		return -1;
	}
	return lease_end(x->rpc, x->lease, err);
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
	struct err none = ERR_INIT;
	struct host host;

	if (host_probe(&host, err) < 0)
		return -1;
	x->isolated = dry_run_isolate(&none) == 0;
	(void)str_fmt(x->why_not, sizeof(x->why_not), "%.180s", none.text);
	if (connect_to(x->where, &x->rpc, err) < 0)
		return -1;
	ret->connected = true;
	containerd_store_init(containerd, x->rpc);
	x->store = &containerd->store;
	if (read_members(x->store, name, ret, err) < 0)
		return -1;
	ret->choice = cri_choice(&ret->members, host.arch);
	if (x->where->wanted)
		image_wish_read(
			&(struct image_question){
				.store = x->store,
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

int image_check(const struct image_check *where, const char *name, struct image_answer *ret,
		struct err *err)
{
	CLEANUP_GUARD struct guard guard = GUARD_INIT;
	struct examination x = { .where = where };
	struct containerd_store containerd;
	int rc;

	(void)str_fmt(x.lease, sizeof(x.lease), "crossarch-check-%d-%lld", getpid(),
		      (long long)time(NULL));
	if (guard_start(&guard, where->socket, where->namespace, x.lease, err) < 0)
		return -1;
	rc = look_up(&x, &containerd, name, ret, err);
	if (rc == 0 && examine_under_lease(&x, ret, err) < 0)
		return -1; /* what is left is for the guard */
	guard_end(&guard);
	return rc;
}
