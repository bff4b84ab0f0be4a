/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/emulators.h"
#include "runtime/cli/html_writer.h"

/* The section of the emulators of @n, which were tried. */
void page_emulators(struct html *h, const struct node *n);
