/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/*
 * Whose turn it is to pull: one process of the node for each image, and so many images at a time.
 * Locks of files below PULL_TURN_DIR, so that a turn ends with its process, however that ends.
 */
#define PULL_TURN_DIR "/run/crossarch/pulls"

struct pull_turn {
	const char *dir; /* PULL_TURN_DIR, or a test's own */
	int image, slot; /* locked files, owned; -1: not ours */
	char path[128];	 /* of the image's file */
};

#define PULL_TURN_INIT(dir_)                           \
	{                                              \
		.dir = (dir_), .image = -1, .slot = -1 \
	}
#define CLEANUP_TURN CLEANUP(pull_turn_end)

/*
 * Asks for a turn to pull what has the digest @digest, while at most @at_once others pull. Never
 * waits: *ret_ours tells, and when it is false the caller asks again later. A turn lasts until
 * pull_turn_end().
 */
MUST_CHECK int pull_turn_ask(struct pull_turn *turn, const char *digest, unsigned int at_once,
			     bool *ret_ours, struct err *err);

/* Ends the turn, or what there is of it. */
void pull_turn_end(struct pull_turn *turn);
