/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "shim/host/cgroup.h"

/* A container can make cgroups of its own, so there is a limit to what we remember of them. */
#define CGROUP_PATHS_MAX ((size_t)1 << 20)
#define CGROUP_PIDS_MAX ((size_t)4 << 20)

/*
 * One directory of one hierarchy with all below it: appends the processes in there to @pids, as an
 * array of pid_t, and the directories to @paths, each a string: "" for @top itself, then "/a",
 * "/a/b", parents before what is in them. What disappears during the walk is left out.
 */
MUST_CHECK int cgroup_walk(int top, struct buf *pids, struct buf *paths, struct err *err);
