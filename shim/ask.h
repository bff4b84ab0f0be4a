/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"
#include "shim/paths.h"

/*
 * Runs `crossarch-prepare settings` and waits for it: what the node's configuration file and the
 * runtime options in @request come to. Both hold formats that the shim itself never parses.
 */
MUST_CHECK int ask_settings(const struct paths *paths, const struct prepare_request *request,
			    struct report *ret, struct err *err);
