/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/*
 * Runs crossarch-prepare, @program or with NULL where it is installed, in @mode and waits for its
 * last report. The descriptors stay the caller's; -1 leaves one out. ERR_NOT_FOUND when it is not
 * installed.
 */
MUST_CHECK int dry_run_ask(const char *program, const char *mode, const struct prepare_request *r,
			   int bundle, int platform, struct report *ret, struct err *err);
