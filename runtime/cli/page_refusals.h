/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/html_writer.h"
#include "runtime/cli/node_refusals.h"

/* As many as are to be read; "crossarch why" shows all. */
#define PAGE_REFUSALS_MAX 20

/*
 * The section of the last refusals. The command lines of containers are left out, for a page is
 * passed on and they may hold passwords.
 */
void page_refusals(struct html *h, const struct node_refusals *r);
