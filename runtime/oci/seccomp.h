/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/oci/json.h"

/*
 * A container's seccomp profile filters the emulator, a program of the node's architecture, and not
 * the guest it runs. Profiles that were written for the guest must be widened by what the emulator
 * itself needs and by the names guest calls have on the node (feasibility.md S4, measured).
 */
struct seccomp_fit {
	bool must_adapt;     /* seccomp_adapt() would change the profile */
	const char *blocked; /* a call without which no emulator starts and that is not allowed */
};

/* How an emulator would fare under @profile (NULL: no profile, nothing is filtered). */
void seccomp_judge(json *profile, const struct arch *host, struct seccomp_fit *ret);

/* Changes @profile in place. Rules with argument filters, and all that deny, stay as they are. */
MUST_CHECK int seccomp_adapt(json *profile, const struct arch *host, struct err *err);
