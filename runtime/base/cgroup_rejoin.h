/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Moves the calling process into the cgroup that it is in already, and returns when the kernel has
 * done that: nothing changes, but the lock of all moves has been taken for writing. The first
 * writer after a pause waits for an RCU grace period (cgroup-v2.rst on favordynmods). False when no
 * file for it can be written. System calls only, for forked processes.
 */
bool cgroup_rejoin(void);

/*
 * The file to write for @line of /proc/self/cgroup, "9:cpu,cpuacct:/a" or "0::/a", which is taken
 * apart; where hierarchies are mounted usually. False for a line that names none, or one outside
 * the cgroup namespace.
 */
bool cgroup_rejoin_file(char *line, char *ret, size_t size);
