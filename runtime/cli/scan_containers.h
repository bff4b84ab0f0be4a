/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/scan.h"

/* Judges the containers of s->node, but for those that only hold a pod's namespaces. */
MUST_CHECK int scan_containers(struct scan *s, const struct container_judge *j,
			       scan_on_progress *on_progress, struct err *err);
