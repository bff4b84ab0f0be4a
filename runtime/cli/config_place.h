/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/cli/distribution.h"

/* Where on this node our lines go: files of containerd's, or what a distribution makes them from.
 */

enum config_place_kind {
	PLACE_MAIN,	/* the file that containerd is started with */
	PLACE_DROP_IN,	/* a file of our own that containerd imports: from 2.0 on it merges those */
	PLACE_TEMPLATE, /* what the distribution makes the main file from */
	PLACE_MERGED,	/* a file of our own that the distribution merges into one of its own */
};

struct config_place {
	enum config_place_kind kind;
	char path[PATH_MAX]; /* the file that is written */
	/* PLACE_TEMPLATE, PLACE_MERGED: what the distribution makes of it; else "" */
	char made[PATH_MAX];
	unsigned int version; /* of the notation that tables have there */
	char head[64];	      /* what a file begins with that is made for us */
};

#define CONFIG_PLACES 3

struct config_places {
	const struct containerd *containerd;
	struct config_place list[CONFIG_PLACES];
	size_t n; /* at least one; the first is the best for something new */
};

/*
 * For the node's containerd, whose main file may not exist; @n is pointed to. Errors: those of
 * reading it; ERR_NOT_FOUND for a template that a distribution should have and has not.
 */
MUST_CHECK int config_places_find(const struct installation *n, struct config_places *ret,
				  struct err *err);

/* Whether the file at @p was made for us alone, whoever else may have written into it since. */
bool config_place_is_ours(const struct config_place *p);
