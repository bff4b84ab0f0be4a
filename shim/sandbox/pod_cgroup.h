/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "runtime/base/err.h"

/*
 * The cgroup of a sandbox, where containerd's CRI puts a pause container (internal/cri/server/
 * podsandbox/helpers_linux.go, getCgroupsPath()): PARENT/ID, or below a slice of systemd what the
 * engine would call the scope of it. Fills @ret with the path from the hierarchies' roots, ""
 * without a parent; there are no ".." in it, and no other part that means nothing. ERR_INVALID for
 * a name that is no slice's (systemd.slice(5)), and when the path is too long.
 */
MUST_CHECK int pod_cgroup_path(const char *parent, const char *id, char ret[PATH_MAX],
			       struct err *err);

/*
 * Makes it and moves @pid into it. The sandbox's @bundle says so, for the `delete` of a shim that
 * was killed.
 */
MUST_CHECK int pod_cgroup_join(const char *bundle, const char *path, pid_t pid, struct err *err);

/* Removes what pod_cgroup_join() made for this bundle, if anything. */
void pod_cgroup_remove(const char *bundle);
