/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/container_judge.h"
#include "runtime/cli/image_judge.h"
#include "runtime/cli/node_containers.h"
#include "runtime/containerd/image_members.h"

/* What a scan finds: images with the verdict on each of their platforms, and containers. */

struct scan_variant {
	struct image_verdict verdict; /* its report is owned, or another variant's: see `shared` */
	bool shared;
	bool unpacked;
	bool unreadable; /* it is there, or has to be, and cannot be read: verdict.why */
};

/* What one or several names lead to. */
struct scan_image {
	const char *space;  /* containerd's namespace, "" in an archive */
	const char **names; /* NULL-terminated */
	const char *digest, *media_type;
	struct image_members members;  /* owned */
	struct scan_variant *variants; /* one for each member; owned */
	int choice;		       /* what CRI takes of them, -1: nothing */
	char error[400];	       /* nothing of it could be read, "" otherwise */
};

struct scan_container {
	const struct node_container *c;
	struct container_verdict verdict; /* owned */
};

struct scan {
	struct arena arena;
	struct scan_image *images; /* owned */
	size_t n_images;
	struct node_containers node;
	struct scan_container *containers; /* owned */
	size_t n_containers;
};

#define SCAN_INIT                                                              \
	{                                                                      \
		.arena = { .max = 1024u << 20 }, .node = NODE_CONTAINERS_INIT, \
	}
#define CLEANUP_SCAN CLEANUP(scan_deinit)
void scan_deinit(struct scan *s);

/* Notes why one platform cannot be judged; @unreadable: something is wrong with the image. */
void scan_variant_unjudged(struct scan_variant *v, bool unreadable, const char *why);

/* Nothing of the image, or not all that is there of it, could be read. */
bool scan_image_is_unreadable(const struct scan_image *image);

/* Room for the verdicts on what @image has as members. */
MUST_CHECK int scan_image_variants(struct scan_image *image, struct err *err);

/* The name that people know best: not a digest. */
const char *scan_image_name(const struct scan_image *image);

/*
 * The label lies: its index or configuration says another architecture than that of the program it
 * starts, or the two say different ones.
 */
bool scan_variant_lies(const struct scan_variant *v);
bool scan_container_lies(const struct scan_container *c);

/* Something is wrong with it: refused, a label that lies, or not to be read. */
bool scan_image_is_bad(const struct scan_image *image);
bool scan_container_is_bad(const struct scan_container *c);

/* Told how far it is: @what is "images" or "containers". */
typedef void scan_on_progress(const char *what, size_t done, size_t of);
