/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Unmounts everything at and below @path, children first (shim-protocol 8.3). Blocks: meant to run
 * in a process of its own, see child_fork(). A busy mount is tried again for 2.5 s. Nothing
 * mounted there, or no such path, is success. Returns 0, or 1 when something stayed mounted.
 */
int rootfs_unmount(const char *path);

/*
 * The same for what is mounted in a bundle: its rootfs, and layers that a prepare which was killed
 * left mounted (LAYERS_DIR), for whoever removes the bundle would remove what is in them. @bundle
 * is a string, as child_fork() hands its argument on. Two of them never unmount at once: a lock on
 * the bundle is held meanwhile, and whoever finds another at work waits for it two seconds before
 * it gives up. The lock goes with its process.
 */
int bundle_unmount(void *bundle);

/* True when something of that is mounted, or nobody can say. Never blocks. */
bool bundle_is_mounted(const char *bundle);
