/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/cli/cli.h"

/* "crossarch config containerd": what it is asked for, and doing it. */
struct config_options {
	const char *distribution, *socket; /* NULL: found out */
	const char *file;		   /* main file, NULL: the one containerd runs with */
	const char *settings;		   /* directory of settings */
	const char *emulation;		   /* NULL, or "never" */
	bool write, remove, restart, is_default;
	uint64_t patience_s; /* for a restart */
	const struct arch *const *archs;
	size_t n_archs;
};

/* What the command returns; everything has been said. */
int config_containerd(const struct cli_command *self, const struct config_options *o);
