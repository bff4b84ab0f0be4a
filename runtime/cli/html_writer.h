/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * A page under construction: HTML that is well-formed XML as well. Whatever does not come from our
 * own source passes through html_text() and its kin only. The first failure is kept in @err, and
 * what comes after it does nothing.
 */
struct html {
	struct buf *out;
	struct err *err;
	bool failed;
};

/* Markup of ours, as it is. */
void html_mark(struct html *h, const char *markup);
/* The same with numbers in it, and nothing else that is not ours. */
__attribute__((format(printf, 2, 3))) void html_markf(struct html *h, const char *fmt, ...);

/*
 * Text from anywhere, for an element or a quoted attribute: nothing in it is markup. Bytes that are
 * no UTF-8, control characters and those that show nothing are replaced by '?', a newline by a
 * space.
 */
void html_text(struct html *h, const char *text);
__attribute__((format(printf, 2, 3))) void html_textf(struct html *h, const char *fmt, ...);

/* <TAG class="CLASS">TEXT</TAG>; @class may be NULL. */
void html_element(struct html *h, const char *tag, const char *class, const char *text);

/* A number with its thousands apart. */
void html_count(struct html *h, uint64_t n);

/* A moment, seconds since 1970: "27 November 2026, 19:20 UTC". */
void html_time(struct html *h, int64_t seconds);
