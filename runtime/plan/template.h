/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/plan/line_text.h"

/* Texts with {names} in them, as cause.h has them. */

/* Appends what @name, @n bytes without the braces, stands for; false when there is no such name. */
typedef bool template_name(void *ctx, const char *name, size_t n);

/* Appends @template to @out. @put writes to the same place. A name it does not know is a fault. */
void template_write(struct text *out, const char *template, template_name *put, void *ctx);
