/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/cli/config_place.h"

/*
 * What a distribution will make of a template or of files that it merges: the text @made, which it
 * made last, without any handler of ours, and then with those that @text has, the contents that
 * p->path is to get.
 */
MUST_CHECK int config_made(const struct config_place *p, const char *made, const char *text,
			   struct buf *out, struct err *err);
