/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/arch/platform.h"
#include "runtime/containerd/image_members.h"
#include "runtime/containerd/image_store.h"
#include "runtime/containerd/rpc.h"
#include "runtime/oci/json.h"
#include "runtime/prepare/report.h"

/* The verdict on one platform of an image that containerd has, seen through a temporary view. */

/* What comes of one member of an image. */
struct image_verdict {
	const struct image_member *member;
	bool chosen;	       /* what CRI takes on this node */
	struct report *report; /* owned; NULL: not checked */
	char why[400];	       /* not checked */
};

#define IMAGE_LEASE_MAX 64

/* A lease longer than any unpacking takes, and what each answer of containerd may take. */
#define IMAGE_LEASE_SECONDS 3600
#define IMAGE_JUDGE_MS 30000

/* How to look; nothing in it is owned. */
struct image_judge {
	struct rpc *rpc;
	struct image_store *store;
	const char *snapshotter, *config_path;
	const char *prepare;	       /* as in struct dry_run */
	const char *const *args;       /* in the place of the image's own, NULL for those */
	const struct platform *wanted; /* what a pod asks for, NULL for none */
	const char *lease;	       /* which @rpc uses; what is made has its name */
	bool unpack;		       /* what never was unpacked, for the moment */
	bool isolated;		       /* mounts are ours alone */
	char why_not[200];
};

/* "crossarch-COMMAND-PID-TIME", which no other process has. */
void image_judge_lease(const char *command, char ret[static IMAGE_LEASE_MAX]);

/* Gets the process a mount namespace of its own, or notes why there is none. */
void image_judge_isolate(struct image_judge *j);

/* config.json as CRI makes it of the image's own configuration; the caller's. */
MUST_CHECK int image_judge_spec(const struct image_judge *j, const struct image_member *m,
				json **ret, struct err *err);

/*
 * Fills in the report of v->member, or why there is none. prepare is started by vfork() and
 * execve(), which the gRPC core's threads do not notice.
 */
void image_judge(const struct image_judge *j, struct image_verdict *v);

/* The same with @config in the place of that, for a member that is here and has layers. */
void image_judge_as(const struct image_judge *j, const char *config, struct image_verdict *v);
