/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/arch/table.h"
#include "runtime/cli/image_judge.h"
#include "runtime/cli/image_wish.h"
#include "runtime/containerd/image_members.h"
#include "runtime/containerd/image_reference.h"

#define CHECK_TIMEOUT_MS 30000

/* Where and how to look; `args` replace the image's own command. */
struct image_check {
	const char *socket, *namespace, *snapshotter, *config_path;
	const char *prepare; /* as in struct dry_run */
	const char *const *args;
	const struct platform *wanted; /* NULL: all there are; else only what a pod that asks for
					* this gets is looked into */
};

#define IMAGE_CHECK_INIT                                           \
	{                                                          \
		.namespace = "k8s.io", .snapshotter = "overlayfs", \
	}

struct image_answer {
	const char *name;	       /* as containerd has it */
	char full_name[REFERENCE_MAX]; /* place for that */
	bool connected;		       /* containerd was reached, whatever came of it */
	bool looked;		       /* something may have been made in containerd */
	int choice;		       /* index of what CRI takes, -1: nothing */
	struct image_members members;
	struct image_verdict *verdicts; /* one for each member; owned */
	struct image_wish wish;		/* where something is wanted */
};

#define CLEANUP_IMAGE_ANSWER CLEANUP(image_answer_deinit)
void image_answer_deinit(struct image_answer *a);

/* Asks containerd about the image and prepare about each of its platforms that is unpacked. */
MUST_CHECK int image_check(const struct image_check *where, const char *name,
			   struct image_answer *ret, struct err *err);

/*
 * The same under the eyes of a guard of the caller's (check_guard.h), with @lease; where
 * ret->looked is true after a failure, something is left for it.
 */
MUST_CHECK int image_look(const struct image_check *where, const char *lease, const char *name,
			  struct image_answer *ret, struct err *err);

/*
 * Which platform of an image containerd's CRI uses on a node of architecture @host, whatever the
 * runtime class says. From an index the default matcher chooses (github.com/containerd/platforms);
 * a single manifest is taken as it is (containerd's core/images/image.go, Manifest()). An index
 * into m->list, or -1 when a pull fails.
 */
int cri_choice(const struct image_members *m, const struct arch *host);
