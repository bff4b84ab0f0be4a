/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "shim/sandbox/pod_config.h"

/*
 * The files that the containers of a pod share: hostname, hosts, resolv.conf, and shm, a tmpfs, in
 * the directory POD_FILES of the sandbox's bundle. With a pause container CRI makes them itself
 * (internal/cri/server/podsandbox/sandbox_run_linux.go, setupSandboxFiles()); where the sandbox is
 * the shim's it does not, and gives containers none.
 */
#define POD_FILES "crossarch.files"

/* Makes them. What was made before a failure is for pod_files_remove(). */
MUST_CHECK int pod_files_make(const char *bundle, const struct pod_config *c, struct err *err);

/* Unmounts shm; the rest goes with the bundle. Legal when there is nothing. */
void pod_files_remove(const char *bundle);
