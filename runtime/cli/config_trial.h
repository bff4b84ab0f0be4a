/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/cli/config_place.h"

/*
 * What containerd would come to if the file at @p->path had the contents @text ("": if it were not
 * there): it loads a copy of everything that leads there, with names of its own that are gone
 * afterwards, and *@ret is its "config dump". Of a template and of files that a distribution merges
 * the copy is what the distribution made last, with our own lines in it as @text has them.
 * ERR_PRECONDITION: containerd refuses it, in its own words.
 */
MUST_CHECK int config_trial(const struct containerd *c, const struct config_place *p,
			    const char *text, struct buf *ret, struct err *err);

/* The mode that the file at @path has, or what a new one gets. */
mode_t config_mode(const char *path);
