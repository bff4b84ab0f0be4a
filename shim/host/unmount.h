/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Unmounts everything at and below @path, children first (shim-protocol 8.3). Blocks: meant to run
 * in a process of its own, see child_fork(). A busy mount is tried again for 2.5 s. Nothing
 * mounted there, or no such path, is success. Returns 0, or 1 when something stayed mounted.
 */
int rootfs_unmount(const char *path);

/* The same for <bundle>/rootfs; @bundle is a string, as child_fork() hands its argument on. */
int bundle_unmount(void *bundle);
