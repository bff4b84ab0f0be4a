/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/pull_wait.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/choose/pull_count.h"
#include "runtime/choose/pull_turn.h"
#include "runtime/containerd/image_pull.h"
#include "runtime/containerd/pull_cause.h"
#include "runtime/containerd/snapshots.h"

#define ANSWER_MAX (16u << 20)
#define ANSWER_MS 30000
#define ASK_AGAIN_MS 100
#define LOOK_EVERY 10 /* of the times that a turn is asked for: that costs containerd nothing */
#define MB 1000000u

struct pulling {
	struct pull_wait *wait;
	struct image_puller images;
	struct image_found image;
	const char *files[2]; /* of the setting "credentials" */
	bool too_large;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void refuse(struct pull_wait *w, enum cause cause)
{
	chooser_refuse(w->chooser, cause, w->facts);
}

/* --- whether it is there ---------------------------------------------------------------------- */

int pull_is_unpacked(const struct pull_wait *w, const char *chain, bool *ret, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct snapshot_info info;
	int rc = snapshot_stat(w->chooser->rpc, w->snapshotter, chain, &arena, &info, err);

	*ret = rc == 0;
	return rc < 0 && err->code != ERR_NOT_FOUND ? -1 : 0;
}

/* The manifest and the configuration may have come since the index was read. */
static int is_here(struct pulling *p, bool *ret, struct err *err)
{
	const struct image_member *m = p->wait->wanted;
	CLEANUP_MEMBERS struct image_members now_here = { .list = NULL };

	*ret = false;
	rpc_allow(p->wait->chooser->rpc, ANSWER_MS);
	if (image_members_of_digest(&p->images.containerd.store, m->manifest, &now_here, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	if (!now_here.n || !now_here.list[0].here)
		return 0;
	return pull_is_unpacked(p->wait, now_here.list[0].chain, ret, err);
}

/* --- while it is not -------------------------------------------------------------------------- */

static int tell(struct pull_wait *w, enum cause cause, struct err *err)
{
	struct chooser *c = w->chooser;

	refuse(w, cause);
	c->report->flags |= REPORT_PULLING;
	c->told = true;
	return c->tell(c, err);
}

static void note(struct pull_wait *w, bool known, const struct progress *progress)
{
	if (!known)
		return;
	w->facts->arrived = (uint64_t)progress->have;
	w->facts->total = (uint64_t)progress->total;
}

/* False when the shim is gone, and the pod with it. */
static bool answer_in_time(struct pull_wait *w)
{
	struct err ignored;

	if (w->chooser->told || now() < w->chooser->until_ns)
		return true;
	return tell(w, CAUSE_PLATFORM_PULLING, &ignored) == 0;
}

static bool on_progress(void *ctx, bool known, const struct progress *progress)
{
	struct pulling *p = ctx;
	uint64_t max = p->wait->settings->pull_max_mb * MB;

	note(p->wait, known, progress);
	p->too_large = known && max && p->wait->facts->total > max;
	return answer_in_time(p->wait) && !p->too_large;
}

static bool on_unpack(void *ctx, bool known, const struct progress *progress)
{
	struct pulling *p = ctx;

	note(p->wait, known, progress);
	return answer_in_time(p->wait);
}

/* With a limit the manifest, which says how large the image is, has to come before its layers. */
static int check_size(struct pulling *p, struct err *err)
{
	CLEANUP_IMAGE_FOUND struct image_found found = { .chosen = NULL };
	struct progress progress;
	struct err ignored;
	int rc;

	if (!p->wait->settings->pull_max_mb)
		return 0;
	p->images.fresh = true;
	rc = image_find(&p->images, &p->image.reference, &p->wait->facts->wanted, &found, err);
	p->images.fresh = false;
	if (rc < 0)
		return -1;
	if (image_progress(&p->images, p->wait->wanted, &progress, &ignored) < 0)
		return 0; /* it is gone again; on_progress() will see it */
	if (on_progress(p, true, &progress))
		return 0;
	return err_set(err, ERR_LIMIT, "it is too large");
}

static int pull(struct pulling *p, struct err *err)
{
	bool was_here;

	if (check_size(p, err) == 0 &&
	    image_pull(&p->images, &p->image, on_progress, p, &was_here, err) == 0) {
		if (!was_here)
			pull_count(&p->image, true);
		return 0;
	}
	pull_count(&p->image, false);
	p->wait->facts->text = err->text;
	refuse(p->wait, p->too_large ? CAUSE_PLATFORM_PULL_TOO_LARGE
				     : pull_cause(pull_failure_of(err->text)));
	return 0;
}

/* Another process pulls it, or others take all the turns there are. */
static int wait_for_turn(struct pulling *p, struct pull_turn *turn, bool *ret_ours, struct err *err)
{
	const struct timespec pause = { 0, ASK_AGAIN_MS * 1000000 };
	struct pull_wait *w = p->wait;
	struct progress progress;
	struct err ignored;

	for (unsigned int n = 0;; n++) {
		bool here = false;

		if (pull_turn_ask(turn, w->wanted->manifest,
				  (unsigned int)w->settings->pulls_at_once, ret_ours, err) < 0)
			return -1;
		if (!*ret_ours && n % LOOK_EVERY == 0 && is_here(p, &here, err) < 0)
			return -1;
		if (*ret_ours || here)
			return 0;
		if (now() >= w->chooser->until_ns)
			break;
		nanosleep(&pause, NULL);
	}
	if (turn->image >= 0)
		return tell(w, CAUSE_PLATFORM_QUEUED, err);
	note(w, image_progress(&p->images, w->wanted, &progress, &ignored) == 0, &progress);
	return tell(w, CAUSE_PLATFORM_PULLING, err);
}

/* What was imported with all its platforms is unpacked for one of them only. */
static int unpack_or_pull(struct pulling *p, struct err *err)
{
	struct pull_wait *w = p->wait;
	bool done;

	if (image_unpack(&p->images, w->wanted, w->snapshotter, on_unpack, p, &done, err) < 0)
		return -1;
	if (done)
		return 0;
	if (!w->settings->pull_never)
		return pull(p, err);
	refuse(w, CAUSE_PLATFORM_NEVER);
	return 0;
}

static int bring(struct pulling *p, struct err *err)
{
	CLEANUP_TURN struct pull_turn turn = PULL_TURN_INIT(PULL_TURN_DIR);
	bool ours, here;

	if (wait_for_turn(p, &turn, &ours, err) < 0)
		return -1;
	if (!ours)
		return 0;
	/* Whoever had the turn before may have brought it. */
	if (is_here(p, &here, err) < 0)
		return -1;
	return here ? 0 : unpack_or_pull(p, err);
}

static void set_up(struct pulling *p, struct pull_wait *w)
{
	*p = (struct pulling){ .wait = w, .image.chosen = w->wanted };
	image_puller_init(&p->images, w->chooser->rpc);
	p->images.again = true; /* is_here() asks more than CRI would */
	p->images.handler = *w->handler ? w->handler : NULL;
	if (*w->settings->credentials) {
		p->files[0] = w->settings->credentials;
		p->images.credentials_files = p->files;
	}
	(void)str_copy(p->image.reference.repository, sizeof(p->image.reference.repository),
		       w->repository);
	(void)str_copy(p->image.reference.digest, sizeof(p->image.reference.digest),
		       w->wanted->manifest);
}

static void log_end(const struct pull_wait *w, bool here)
{
	char wanted[PLATFORM_TEXT];

	platform_format(&w->facts->wanted, wanted);
	if (here)
		log_write(LOG_INFO, request_subject(w->chooser->request),
			  LOG_FIELDS(.platform = wanted), "%s of %.200s is here now", wanted,
			  w->facts->image);
	else
		log_write(LOG_WARNING, request_subject(w->chooser->request),
			  LOG_FIELDS(.platform = wanted, .code = w->chooser->report->code), "%s",
			  w->chooser->report->line);
}

int pull_wait(struct pull_wait *w, bool *ret_here, struct err *err)
{
	struct pulling p;

	set_up(&p, w);
	if (is_here(&p, ret_here, err) < 0 || *ret_here)
		return *ret_here ? 0 : -1;
	if (bring(&p, err) < 0 || is_here(&p, ret_here, err) < 0)
		return -1;
	if (w->chooser->told)
		log_end(w, *ret_here);
	else if (!*ret_here && w->chooser->report->verdict != VERDICT_REFUSE)
		return err_set(err, ERR_UNAVAILABLE, "%.200s@%.80s was pulled and is gone again",
			       w->repository, w->wanted->manifest);
	return 0;
}
