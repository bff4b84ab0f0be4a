/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/containerd/image_members.h"
#include "runtime/oci/settings.h"
#include "runtime/plan/diagnosis.h"

/* What becomes on this node of a pod that asks for a platform of an image, before its program is
 * looked at. */
struct image_wish {
	const struct image_member *chosen; /* what it gets, NULL: the image has nothing for it */
	const struct image_member *own;	   /* what CRI made the container of, NULL: nothing */
	bool pulled;			   /* the chosen one is not here, and would be pulled */
	uint64_t bytes;			   /* compressed size of the chosen one, 0: not known */
	char differs[160];		   /* in what its configuration differs: "Env, User" */
	bool differs_in_user;
	/* The code and line of the refusal; NULL: there is none, by what can be seen from here. */
	const char *code;
	char line[DIAGNOSIS_MAX + 1];
};

/* What is asked. */
struct image_question {
	struct image_store *store;
	const struct image_members *members; /* of the image, which the answer points into */
	int choice;			     /* of them what CRI takes, -1: nothing */
	const char *name;
	const struct platform *wanted;
	const char *const *args; /* in the place of the image's own, NULL-terminated, or NULL */
	const char *config_path; /* file of settings, NULL: the default one */
};

void image_wish_read(const struct image_question *q, struct image_wish *ret);
