/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/html_writer.h"
#include "runtime/cli/node_counters.h"

/* The section of what was counted, as figures and charts. */
void page_counters(struct html *h, const struct node_counters *c);
