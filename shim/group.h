/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "proto/any.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"
#include "shim/paths.h"

/*
 * Runs `crossarch-prepare group` and waits for it: the grouping key and the effective settings,
 * read from a config.json that the shim itself never parses. @bundle may be "" (no config.json).
 * @request carries the runtime options.
 */
MUST_CHECK int group_ask(const struct paths *paths, const char *bundle,
			 const struct prepare_request *request, struct report *ret,
			 struct err *err);
