/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/emulators.h"
#include "runtime/cli/output.h"

/* The handlers of a node, for a person and for programs. */

/* A table, with what came of trying them if @tried, and the limits of those that are no qemu. */
void emulators_print(const struct node *n, bool tried);

/* An array, an object for each handler. */
void emulators_print_json(const struct node *n);

/* Why there is nothing to print, in a sentence; NULL when the table is simply empty. */
const char *emulators_absence(const struct node *n);

/* What the kernel makes of it: "enabled", "disabled", "all off", "covered" or "shadows native". */
const char *emulator_state(const struct node *n, const struct emulator *e);

/* What came of trying it, in words, and how good that is. */
void emulator_outcome(const struct emulator *e, char *text, size_t size, enum tone *ret_tone);

/* The letters of its flags, "-" without any. */
void emulator_flags(const struct emulator *e, char text[8]);
