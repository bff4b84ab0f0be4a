/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>

#include "runtime/base/err.h"

/* Our own programs. A program beside the shim is preferred, so that a build tree runs as it is. */
struct paths {
	char self[PATH_MAX];
	char prepare[PATH_MAX];
	char cli[PATH_MAX]; /* "" when it is not installed: the image's platform stays unknown */
};

/* ERR_NOT_FOUND says where crossarch-prepare was looked for. */
MUST_CHECK int paths_find(struct paths *ret, struct err *err);
