/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/findings.h"
#include "runtime/cli/html_writer.h"

/* The section of what is to be done, and that of all that was looked at. */
void page_fixes(struct html *h, const struct findings *f);
void page_findings(struct html *h, const struct findings *f);
