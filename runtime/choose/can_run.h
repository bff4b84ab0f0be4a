/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/oci/spec.h"
#include "runtime/plan/diagnosis.h"

/*
 * Whether this node could run programs of @wanted at all, before an image of it is pulled: by its
 * processor, or with an emulator that is registered and that @settings permit. Looks at no program
 * but a header as those of @wanted have it. False for what is certain only, with the code and the
 * line of the refusal. ERR_IO when the node cannot be looked at.
 */
struct can_run {
	const struct settings *settings; /* with the platform that is wanted */
	const struct spec *spec;	 /* of the container; its program is named */
	const char *code;
	char line[DIAGNOSIS_MAX + 1];
};

MUST_CHECK int can_run(struct can_run *c, bool *ret, struct err *err);
