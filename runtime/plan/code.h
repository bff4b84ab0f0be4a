/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The long form of every code a line can carry: what `crossarch explain CODE` prints. All static.
 */
struct code_row {
	const char *code;
	bool warning;	    /* the container starts all the same */
	const char *cause;  /* what is the matter */
	const char *seen;   /* what people see without crossarch */
	const char *proof;  /* what was read to know it */
	const char *remedy; /* what to do */
};

/* All codes, refusals first. */
const struct code_row *code_rows(size_t *ret_n);

/* The row of @code, NULL when there is none. */
const struct code_row *code_find(const char *code);
