/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/*
 * A growing byte buffer with a hard maximum. An all-zero struct with `max` set is a valid empty
 * buffer; `data` is NULL or holds `len` bytes followed by a NUL that is not counted.
 */
struct buf {
	uint8_t *data;
	size_t len, cap, max;
};

#define BUF_INIT(max_)        \
	{                     \
		.max = (max_) \
	}
#define CLEANUP_BUF CLEANUP(buf_deinit)

/* Frees the bytes; the buffer is empty and usable again. */
void buf_deinit(struct buf *b);

/* Makes room for @n more bytes. Fails with ERR_LIMIT beyond max, ERR_NOMEM without memory. */
MUST_CHECK int buf_reserve(struct buf *b, size_t n, struct err *err);

/* Appends @n bytes. Errors as buf_reserve(); the contents are untouched on failure. */
MUST_CHECK int buf_add(struct buf *b, const void *bytes, size_t n, struct err *err);

/* Appends formatted text. Errors as buf_reserve(). */
__attribute__((format(printf, 3, 4))) MUST_CHECK int buf_printf(struct buf *b, struct err *err,
								const char *fmt, ...);

/* Removes @n bytes from the front; frees the memory when nothing is left. */
void buf_consume(struct buf *b, size_t n);

/* The contents as a string ("" when empty). Valid until the next change. */
const char *buf_str(const struct buf *b);
