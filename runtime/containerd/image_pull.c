/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_pull.h"

#include <string.h>
#include <time.h>

#include "proto/containerd.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/str.h"
#include "runtime/containerd/credentials.h"
#include "runtime/containerd/image_choice.h"
#include "runtime/containerd/image_service.h"
#include "runtime/containerd/index_fetch.h"
#include "runtime/containerd/pull_failure.h"
#include "runtime/containerd/pull_lease.h"
#include "runtime/containerd/rpc_tell.h"
#include "runtime/containerd/unpack.h"

#define ANSWER_MAX (16u << 20)
#define ANSWER_MS 30000
#define PROGRESS_MS 250
#define SEEN_MS 8000
#define SEEN_POLL_MS 50

void image_puller_init(struct image_puller *p, struct rpc *rpc)
{
	*p = (struct image_puller){ .rpc = rpc, .credentials_files = credentials_files() };
	containerd_store_init(&p->containerd, rpc);
}

void image_found_deinit(struct image_found *f)
{
	image_members_deinit(&f->members);
}

/* --- with each of the credentials ------------------------------------------------------------ */

/* One try of whatever needs the registry. */
typedef int attempt(struct image_puller *p, const struct pull_request *request, void *ctx,
		    struct err *err);

/* Without any of ours containerd takes those of its own configuration. */
static int with_credentials(struct image_puller *p, const struct image_reference *name,
			    attempt *try_it, void *ctx, struct err *err)
{
	CLEANUP_CREDENTIALS struct credentials c = { .n = 0 };
	char image[REFERENCE_MAX];
	struct pull_request request = { .image = image, .handler = p->handler };

	image_reference_format(name, image);
	if (credentials_read(p->credentials_files, name->repository, &c, err) < 0)
		return -1;
	for (size_t i = 0;; i++) {
		request.username = i < c.n ? c.list[i].username : NULL;
		request.password = i < c.n ? c.list[i].password : NULL;
		if (try_it(p, &request, ctx, err) == 0)
			return 0;
		if (i + 1 >= c.n || pull_failure_of(err->text) != PULL_DENIED)
			return -1;
	}
}

/* --- finding --------------------------------------------------------------------------------- */

static int fetch_index(struct image_puller *p, const struct pull_request *request, void *ctx,
		       struct err *err)
{
	return index_fetch(p->rpc, &p->containerd.store, request, ctx, err);
}

static int find_here(struct image_puller *p, const struct image_reference *name,
		     struct image_members *ret, struct err *err)
{
	char text[REFERENCE_MAX];

	rpc_allow(p->rpc, ANSWER_MS);
	if (*name->digest)
		return image_members_of_digest(&p->containerd.store, name->digest, ret, err);
	image_reference_format(name, text);
	return image_members_read(&p->containerd.store, text, ret, err);
}

static int choose(const struct platform *wanted, struct image_found *f, struct err *err)
{
	char platform[PLATFORM_TEXT], all[500];

	f->chosen = image_choice(&f->members, wanted);
	if (f->chosen) {
		(void)str_copy(f->reference.digest, sizeof(f->reference.digest),
			       f->chosen->manifest);
		return 0;
	}
	platform_format(wanted, platform);
	image_choice_text(&f->members, all, sizeof(all));
	return err_set(err, ERR_PRECONDITION, "there is nothing for %s in it; it has %s", platform,
		       all);
}

/* A tag may be recorded here for one of its platforms only: then the registry is asked for the
 * others. */
int image_find(struct image_puller *p, const struct image_reference *name,
	       const struct platform *wanted, struct image_found *ret, struct err *err)
{
	CLEANUP_IMAGE_FOUND struct image_found f = { .reference = *name };
	bool here = !p->fresh && find_here(p, name, &f.members, err) == 0;

	if (!p->fresh && !here && err->code != ERR_NOT_FOUND)
		return -1;
	if (here && !f.members.index && !*name->digest && choose(wanted, &f, err) < 0) {
		image_members_deinit(&f.members);
		here = false;
	}
	if (!here && with_credentials(p, name, fetch_index, &f.members, err) < 0)
		return -1;
	if (choose(wanted, &f, err) < 0)
		return -1;
	*ret = f;
	f.members = (struct image_members){ .list = NULL };
	return 0;
}

/* --- pulling --------------------------------------------------------------------------------- */

struct pulling {
	const struct image_member *member;
	image_on_progress *on_progress;
	void *ctx;
};

/* The layers that a member's manifest names, and the digest of its configuration. */
static int read_layers(struct image_puller *p, const struct image_member *m,
		       struct image_layers *ret, char ret_config[static DIGEST_MAX],
		       struct err *err)
{
	CLEANUP_BUF struct buf manifest = BUF_INIT(BLOB_MAX);
	CLEANUP_BUF struct buf config = BUF_INIT(BLOB_MAX);
	struct image_store *store = &p->containerd.store;

	rpc_allow(p->rpc, ANSWER_MS);
	if (store->blob(store, m->manifest, &manifest, err) < 0 ||
	    image_manifest_parse(manifest.data, manifest.len, ret_config, err) < 0 ||
	    store->blob(store, ret_config, &config, err) < 0)
		return -1;
	return image_layers_parse(manifest.data, manifest.len, config.data, config.len, ret, err);
}

int image_progress(struct image_puller *p, const struct image_member *m, struct progress *ret,
		   struct err *err)
{
	CLEANUP_LAYERS struct image_layers layers = { NULL, 0 };
	char config[DIGEST_MAX];

	if (read_layers(p, m, &layers, config, err) < 0)
		return -1;
	return progress_read(p->rpc, &layers, ret, err);
}

struct unpack_wait {
	image_on_progress *on_progress;
	void *ctx;
	struct progress progress;
};

static bool on_unpack_wait(void *ctx)
{
	const struct unpack_wait *w = ctx;

	return w->on_progress(w->ctx, true, &w->progress);
}

int image_unpack(struct image_puller *p, const struct image_member *m, const char *snapshotter,
		 image_on_progress *on_progress, void *ctx, bool *ret_done, struct err *err)
{
	struct unpack_wait wait = { .on_progress = on_progress, .ctx = ctx };
	CLEANUP_LAYERS struct image_layers layers = { NULL, 0 };
	char config[DIGEST_MAX];

	*ret_done = false;
	if (read_layers(p, m, &layers, config, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	if (progress_read(p->rpc, &layers, &wait.progress, err) < 0)
		return -1;
	if (wait.progress.have != wait.progress.total)
		return 0;
	if (unpack_image(p->rpc, snapshotter, config, &layers, on_unpack_wait, &wait, err) < 0)
		return -1;
	*ret_done = true;
	return 0;
}

static int pull_once(struct image_puller *p, const struct pull_request *request, void *ctx,
		     struct err *err)
{
	const struct pulling *pulling = ctx;
	struct rpc_pending *pull;
	char config[DIGEST_MAX];

	rpc_allow(p->rpc, 0);
	if (pull_begin(p->rpc, request, &pull, err) < 0)
		return -1;
	while (!rpc_wait(pull, PROGRESS_MS)) {
		struct progress progress = { 0, 0 };
		struct err ignored;
		bool known = image_progress(p, pulling->member, &progress, &ignored) == 0;

		if (!pulling->on_progress(pulling->ctx, known, &progress)) {
			rpc_abandon(pull);
			return err_set(err, ERR_TIMEOUT, "it was not waited for");
		}
	}
	return pull_finish(pull, config, err);
}

static int is_here(struct image_puller *p, const struct image_reference *image, bool *ret,
		   struct err *err)
{
	char text[REFERENCE_MAX], config[DIGEST_MAX];
	uint64_t size;

	image_reference_format(image, text);
	rpc_allow(p->rpc, ANSWER_MS);
	return image_status(p->rpc, text, ret, config, &size, err);
}

/*
 * What has arrived is kept for the next try, but not where that would make it fail again: bytes
 * that are wrong, and those that fill the disk.
 */
static void leave_lease(struct image_puller *p, const char *digest, enum pull_failure failure)
{
	struct err ignored;

	rpc_allow(p->rpc, ANSWER_MS);
	if (failure == PULL_CORRUPT || failure == PULL_DISK_FULL)
		(void)!pull_lease_drop(p->rpc, digest, &ignored);
	else
		pull_lease_leave(p->rpc, digest);
}

/* Somebody else who pulled the same under our lease may have ended it when the image was there. */
static int pull_under_lease(struct image_puller *p, const struct image_found *image,
			    struct pulling *pulling, struct err *err)
{
	struct err other;
	bool here = false;

	rpc_allow(p->rpc, ANSWER_MS);
	if (pull_lease_take(p->rpc, image->chosen->manifest, err) < 0)
		return -1;
	if (with_credentials(p, &image->reference, pull_once, pulling, err) < 0 &&
	    (is_here(p, &image->reference, &here, &other) < 0 || !here)) {
		leave_lease(p, image->chosen->manifest, pull_failure_of(err->text));
		return -1;
	}
	rpc_allow(p->rpc, ANSWER_MS);
	return pull_lease_end(p->rpc, image->chosen->manifest, err);
}

int image_pull(struct image_puller *p, const struct image_found *image,
	       image_on_progress *on_progress, void *ctx, bool *ret_was_here, struct err *err)
{
	struct pulling pulling = { image->chosen, on_progress, ctx };

	*ret_was_here = false;
	if (!p->again && is_here(p, &image->reference, ret_was_here, err) < 0)
		return -1;
	return *ret_was_here ? 0 : pull_under_lease(p, image, &pulling, err);
}

/* --- the tag of an image without the node's platform ----------------------------------------- */

#define IMAGES "/containerd.services.images.v1.Images/"

static int image_record(struct image_puller *p, const char *name, struct arena *arena,
			Containerd__Image **ret, struct err *err)
{
	Containerd__ImageGet request = CONTAINERD__IMAGE_GET__INIT;
	const struct rpc_call call = {
		.method = IMAGES "Get",
		.request = &request.base,
		.reply = &containerd__image_reply__descriptor,
	};
	ProtobufCMessage *m;

	request.name = (char *)(uintptr_t)name;
	if (rpc_unary(p->rpc, &call, arena, &m, err) < 0)
		return -1;
	*ret = ((const Containerd__ImageReply *)(const void *)m)->image;
	if (!*ret || !(*ret)->target)
		return err_set(err, ERR_INVALID, "containerd answers without an image");
	return 0;
}

static int give_name(struct image_puller *p, const char *name, const struct image_found *image,
		     struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	Containerd__ImageChange change = CONTAINERD__IMAGE_CHANGE__INIT;
	char pulled[REFERENCE_MAX];

	image_reference_format(&image->reference, pulled);
	rpc_allow(p->rpc, ANSWER_MS);
	/* Its labels say that it is CRI's. */
	if (image_record(p, pulled, &arena, &change.image, err) < 0)
		return -1;
	change.image->name = (char *)(uintptr_t)name;
	if (rpc_tell(p->rpc, IMAGES "Create", &change.base, err) == 0)
		return 0;
	return err->code == ERR_EXISTS ? rpc_tell(p->rpc, IMAGES "Update", &change.base, err) : -1;
}

int image_tag(struct image_puller *p, const struct image_reference *tag,
	      const struct image_found *image, bool *ret_seen, struct err *err)
{
	const struct timespec pause = { .tv_nsec = SEEN_POLL_MS * 1000000L };
	char name[REFERENCE_MAX];

	image_reference_format(tag, name);
	if (give_name(p, name, image, err) < 0)
		return -1;
	for (int ms = 0; ms < SEEN_MS; ms += SEEN_POLL_MS) {
		if (is_here(p, tag, ret_seen, err) < 0)
			return -1;
		if (*ret_seen)
			return 0;
		nanosleep(&pause, NULL);
	}
	return 0;
}
