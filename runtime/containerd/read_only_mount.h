/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/prepare/request.h"

/*
 * Changes a mount of a writable snapshot, as containerd describes it, so that it shows the same and
 * can change nothing, also beside the one of a container that runs. The new options live in @arena.
 * ERR_NOMEM.
 */
MUST_CHECK int mount_read_only(struct prepare_mount *m, struct arena *arena, struct err *err);
