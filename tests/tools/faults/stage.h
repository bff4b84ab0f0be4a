/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/tools/faults/faults.h"

/* A pod in which one container runs all the time, to see what others suffer from a fault. */
struct stage {
	struct world *w;
	struct pod pod;
	struct box sibling;
	struct usage idle;   /* of the shim with the sibling only; set by the user */
	unsigned int serial; /* of pods */
	pid_t beside;	     /* the shim of another stage, which stays; 0: none */
};

MUST_CHECK int stage_up(struct stage *s, struct err *err);

/* Ends the pod, whether its shim lives or not; nothing may be left. */
MUST_CHECK int stage_down(struct stage *s, struct err *err);

/* The sibling runs; the shim has no other child and no more descriptors than idle. */
MUST_CHECK int stage_check(struct stage *s, struct err *err);

/* A whole life of a container @id, in whatever shim there is now, or in a new one. */
MUST_CHECK int stage_again(struct stage *s, const char *id, struct err *err);
