/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/html_writer.h"

/* What to do, set off from what is wrong. */
void page_fix(struct html *h, const char *fix);
