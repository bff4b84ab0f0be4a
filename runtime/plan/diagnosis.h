/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/oci/settings.h"
#include "runtime/plan/plan.h"

/*
 * The line that people see, "crossarch[CODE]: WHAT; WHY. Fix: FIX.": one line of at most
 * DIAGNOSIS_MAX bytes, always the same for the same cause, valid UTF-8.
 */
#define DIAGNOSIS_MAX 900

/* The line of a refusal or a warning. */
void diagnosis_line(const struct facts *f, const struct plan *p, enum cause c,
		    char line[DIAGNOSIS_MAX + 1]);

/* The line of CAUSE_CONFIG. */
void diagnosis_config(const struct complaint *bad, char line[DIAGNOSIS_MAX + 1]);

/* "/entrypoint.sh -> /bin/sh", and "linux/arm64", for logs and reports. */
void diagnosis_program(const struct facts *f, char *text, size_t size);
void diagnosis_platform(const struct arch *a, char *text, size_t size);
