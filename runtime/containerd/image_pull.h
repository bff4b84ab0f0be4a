/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/arch/platform.h"
#include "runtime/base/err.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/image_members.h"
#include "runtime/containerd/image_reference.h"
#include "runtime/containerd/progress.h"

/* Images of a platform of one's choice: which one a name leads to, and bringing it to this node. */
struct image_puller {
	struct rpc *rpc; /* not owned */
	struct containerd_store containerd;
	const char *handler;		      /* as in struct pull_request */
	const char *const *credentials_files; /* credentials.h */
	bool again; /* pull what CRI knows already: it is not unpacked where it is needed */
	bool fresh; /* ask the registry whatever is known here */
};

void image_puller_init(struct image_puller *p, struct rpc *rpc);

struct image_found {
	struct image_members members; /* owned */
	const struct image_member *chosen;
	struct image_reference reference; /* of the chosen one: REPOSITORY@DIGEST */
};

#define CLEANUP_IMAGE_FOUND CLEANUP(image_found_deinit)
void image_found_deinit(struct image_found *f);

/*
 * Which manifest is meant by @name for @wanted: by what containerd has, else by the registry.
 * ERR_PRECONDITION when there is none for that platform; the text says which there are. Other
 * errors are those of a pull (pull_failure.h).
 */
MUST_CHECK int image_find(struct image_puller *p, const struct image_reference *name,
			  const struct platform *wanted, struct image_found *ret, struct err *err);

/*
 * Told several times a second while a pull goes on. @known false: not even the manifest has
 * arrived. Returns whether to go on.
 */
typedef bool image_on_progress(void *ctx, bool known, const struct progress *progress);

/*
 * Brings the image to this node. *ret_was_here: it is there already, and nothing was done.
 * ERR_TIMEOUT when @on_progress ended it. Ended or interrupted, by whatever, the next one goes on
 * where it stopped.
 */
MUST_CHECK int image_pull(struct image_puller *p, const struct image_found *image,
			  image_on_progress *on_progress, void *ctx, bool *ret_was_here,
			  struct err *err);

/* How much of a member of an index has arrived; ERR_NOT_FOUND before its manifest has. */
MUST_CHECK int image_progress(struct image_puller *p, const struct image_member *m,
			      struct progress *ret, struct err *err);

/*
 * Unpacks a member of an index whose blobs are all here, which needs no registry. *ret_done: it was
 * done; otherwise something is missing. @on_progress is told as in image_pull().
 */
MUST_CHECK int image_unpack(struct image_puller *p, const struct image_member *m,
			    const char *snapshotter, image_on_progress *on_progress, void *ctx,
			    bool *ret_done, struct err *err);

/*
 * Gives @tag, the name of an index without the node's platform, to the image that was pulled of it,
 * so that the kubelet finds it there: a pull of the tag would fail before any runtime is asked. For
 * such an index only: otherwise pods that want the node's own platform would get the other one.
 * *ret_seen: CRI has taken it up, which is waited for some seconds. After a pull of the tag that
 * failed, containerd 2 looks at it again after a second, then two, four and so on up to five
 * minutes (backOff in its internal/cri/server/events/events.go).
 */
MUST_CHECK int image_tag(struct image_puller *p, const struct image_reference *tag,
			 const struct image_found *image, bool *ret_seen, struct err *err);
