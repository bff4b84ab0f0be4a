/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "runtime/oci/json.h"

/*
 * The mounts that containerd's CRI gives a container of a pod with a pause container, and of no
 * other (internal/cri/server/container_create.go, linuxContainerMounts()): hostname, hosts and
 * resolv.conf from @dir, where no mount is at these places, and /dev/shm, in the place of the tmpfs
 * that OCI's default is: the pod's, or with @host_ipc the node's. Read-only where the root is.
 */
MUST_CHECK int pod_mounts_add(json *document, const char *dir, bool host_ipc, struct err *err);
