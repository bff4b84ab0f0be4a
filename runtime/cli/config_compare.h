/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"
#include "runtime/cli/containerd_config.h"

/* What containerd says of its configuration, as text and as read. */
struct config_said {
	const char *dump;
	const struct containerd_config *config;
};

/*
 * Nothing of @before may be missing in @after but what is ours, and with @new_default the name of
 * the default handler. ERR_PRECONDITION names what would be.
 */
MUST_CHECK int config_compare(const struct config_said *before, const struct config_said *after,
			      bool new_default, struct err *err);
