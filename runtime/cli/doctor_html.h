/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/emulators.h"
#include "runtime/cli/findings.h"
#include "runtime/cli/node_counters.h"
#include "runtime/cli/node_refusals.h"

/* All that the page of a node shows. */
struct doctor_page {
	const char *name; /* the node's */
	int64_t when;	  /* seconds since 1970 */
	const struct findings *findings;
	const struct node *node; /* its emulators were tried */
	const struct node_refusals *refusals;
	const struct node_counters *counters;
};

/*
 * Appends one whole page, which needs nothing else, runs nothing, and is well-formed XML as well.
 */
MUST_CHECK int doctor_html(const struct doctor_page *p, struct buf *out, struct err *err);
