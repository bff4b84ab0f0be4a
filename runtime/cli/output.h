/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/oci/json.h"

/* What commands print: coloured on a terminal only, tables with aligned columns, JSON. */

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM };

/* The escape sequence that begins @tone, "" where colours are not wanted (no terminal, NO_COLOR).
 */
const char *tone_on(enum tone tone);
/* Ends any tone. */
const char *tone_off(void);

/*
 * @text of somebody else's, an image author's perhaps, as it can be shown to people: into @place of
 * @size bytes, with '?' for what would do something to a terminal; of what is too long the middle
 * is left out. Returns @place.
 */
const char *shown(char *place, size_t size, const char *text);

#define TABLE_COLUMNS 9

/* Rows of cells; all-zero is an empty table. Text is copied. */
struct table {
	struct row *rows;
	size_t n, cap;
};

#define CLEANUP_TABLE CLEANUP(table_deinit)
void table_deinit(struct table *t);

/* Adds a row of @n cells; @tone colours the cell number @toned. Out of memory drops the row. */
void table_add(struct table *t, const char *const *cells, size_t n, enum tone tone, size_t toned);
#define table_row(t, tone, toned, ...)                     \
	table_add(t, (const char *const[]){ __VA_ARGS__ }, \
		  ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })), tone, toned)

/* Prints it with @indent spaces in front; a column is as wide as its widest cell. */
void table_print(const struct table *t, unsigned int indent);

/* Prints @text in lines of at most @width columns, each after @indent spaces. */
void print_wrapped(const char *text, unsigned int indent, unsigned int width);

/* Members of an object under construction. NULL strings become null. */
void json_put_text(json *o, const char *key, const char *value);
void json_put_bool(json *o, const char *key, bool value);
void json_put_number(json *o, const char *key, int64_t value);

/* Prints and frees. */
void json_show(json *take);

/* From here on the program says nothing: "--quiet". */
void be_quiet(void);
