/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/oci/rootfs_view.h"
#include "runtime/oci/spec.h"

/*
 * Finds args[0] as runc and crun do: with a slash it is a path, relative to the working directory;
 * without one it is looked for in the PATH of the process. @ret_name is the name to show: what was
 * written, or the directory of PATH and what was written. Room for PATH_MAX bytes.
 */
void entrypoint_find(struct rootfs_view *v, const struct spec_process *p, char *ret_name,
		     struct found *ret);
