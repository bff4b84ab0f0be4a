/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes the NULL-terminated @words over the command line of this process, @argv as main() got it,
 * so that /proc/PID/cmdline shows them (proc_pid_cmdline(5)). Words that find no room are left out.
 * All strings of @argv are gone afterwards.
 */
void title_set(char **argv, const char *const *words);
