/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A line for people, built into a fixed place: what does not fit is cut. Names from images and
 * specifications pass through text_name() only, which keeps the line one line of valid UTF-8.
 */
struct text {
	char *s;
	size_t size, n;
};

void text_init(struct text *t, char *place, size_t size);
void text_add(struct text *t, const char *s);
__attribute__((format(printf, 2, 3))) void text_printf(struct text *t, const char *fmt, ...);

/* Appends @name in at most @max bytes (the middle is left out), odd bytes replaced by '?'. */
void text_name(struct text *t, const char *name, size_t max);

/*
 * The length of the UTF-8 character that @s begins with; 0 where there is none, or one that shows
 * nothing or changes how others are shown.
 */
size_t text_character(const char *s);

/* True when @s, of at most @max bytes, can stand in a shell command or JSON text without quoting.
 */
bool text_is_operand(const char *s, size_t max);
