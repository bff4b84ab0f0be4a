/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/scan.h"
#include "runtime/oci/json.h"

/* What "scan" prints: a summary by platform, all that was looked at, and what is wrong with it. */
void scan_print(const struct scan *s);

/* The caller's. */
json *scan_json(const struct scan *s);
