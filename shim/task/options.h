/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "proto/any.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/prepare/request.h"

/* True for the types that options_read() reads. */
bool options_known(const Crossarch__Any *options);

/*
 * Reads runtime options (shim/README.md, Options): runc's own Options, runtimeoptions with
 * ConfigPath or ConfigBody, or nothing. Members that are set go into @r; strings live in @arena. Of
 * runc's, a BinaryName that ends in .json is a ConfigPath. An unknown type is ERR_INVALID and named: silently ignoring a setting would be worse.
 */
MUST_CHECK int options_read(const Crossarch__Any *options, struct arena *arena,
			    struct prepare_request *r, struct err *err);
