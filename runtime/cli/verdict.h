/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/oci/json.h"
#include "runtime/prepare/report.h"

/* What "check" says of one report of prepare. */

/* "native", "emulated", "refused" or "unknown". */
const char *verdict_name(const struct report *r);

/* One line, with warnings one a line, each after @indent spaces. */
void verdict_print(const struct report *r, unsigned int indent);

/* The caller's. */
json *verdict_json(const struct report *r);

/* CLI_DONE where the program would run. */
int verdict_status(const struct report *r);
