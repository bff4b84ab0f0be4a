/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/emulators.h"

/* The handlers of a node, for a person and for programs. */

/* A table, with what came of trying them if @tried, and the limits of those that are no qemu. */
void emulators_print(const struct node *n, bool tried);

/* An array, an object for each handler. */
void emulators_print_json(const struct node *n);

/* Why there is nothing to print, in a sentence; NULL when the table is simply empty. */
const char *emulators_absence(const struct node *n);
