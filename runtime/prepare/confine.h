/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "runtime/oci/rootfs_view.h"

/*
 * Giving up what prepare does not need before it reads what image authors wrote. In two steps:
 * first system calls and privileges, then, once everything to be looked at is open, the rest of the
 * file system. Neither can be taken back.
 */

/*
 * No new privileges, only the capability to read, small resource limits, and a filter that kills on
 * anything beyond: opening through openat2, reading, writing to descriptors 2, 3, @out and @sink
 * (-1: none), memory. Nothing can be executed, signalled, mounted, connected to or created but by
 * linking @out.
 */
MUST_CHECK int confine_calls(int out, int sink, struct err *err);

/*
 * Restricts opening to the files of @v, and creating to a link in @bundle. Where the kernel has no
 * Landlock, only the user changes: we become nobody and keep the capability to read. The filter of
 * confine_calls() holds either way.
 */
MUST_CHECK int confine_files(const struct rootfs_view *v, int bundle, struct err *err);
