/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of the character at @p, which is in a terminated string, and its number; 0 when there
 * is none: the end, overlong forms, surrogates, what is beyond Unicode.
 */
size_t utf8_decode(const unsigned char *p, uint32_t *ret);

/*
 * False for characters that are no line of text: control characters, and those that show nothing
 * and change how others are shown.
 */
bool utf8_is_shown(uint32_t c);
