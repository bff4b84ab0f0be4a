/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"

/*
 * "emulators list --pod": the private instances of binfmt_misc below PRIVATE_DIR, whose they are
 * and what they hold. ERR_IO when that directory is there and cannot be read.
 */
MUST_CHECK int private_pods_show(bool as_json, struct err *err);
