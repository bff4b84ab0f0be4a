/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Unmounts everything at and below @path, children first. Blocks: meant to run in a process of its
 * own, see child_fork(). A busy mount is tried again for 2.5 s, as containerd does. If nothing is
 * mounted there, or there is no such path, that is success. Returns 0, or 1 when something stayed
 * mounted.
 */
int rootfs_unmount(const char *path);

/*
 * The same for what is mounted in a bundle: its rootfs, and the layers that a killed prepare left
 * mounted (LAYERS_DIR), because removing the bundle would remove the files in them. @bundle is a
 * string, as child_fork() hands its argument on. Two processes never unmount the same bundle at
 * once: each locks the bundle, and one that finds it locked waits two seconds before it gives up.
 * The lock ends with its process.
 */
int bundle_unmount(void *bundle);

/* True when something of that is mounted, or when that cannot be found out. Never blocks. */
bool bundle_is_mounted(const char *bundle);
