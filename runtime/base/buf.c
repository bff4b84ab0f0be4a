/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/buf.h"

#include <stdarg.h>
#include <string.h>

void buf_deinit(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

int buf_reserve(struct buf *b, size_t n, struct err *err)
{
	size_t want, cap = b->cap ? b->cap : 256;
	uint8_t *data;

	if (n > b->max || b->len > b->max - n)
		return err_set(err, ERR_LIMIT, "%zu bytes more than the limit of %zu",
			       b->len + n - b->max, b->max);
	want = b->len + n + 1;
	if (want <= b->cap)
		return 0;
	while (cap < want)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data)
		return err_set(err, ERR_NOMEM, "no memory for %zu bytes", cap);
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t n, struct err *err)
{
	if (buf_reserve(b, n, err) < 0)
		return -1;
	if (n)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
	return 0;
}

int buf_printf(struct buf *b, struct err *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_set(err, ERR_INVALID, "cannot format \"%s\"", fmt);
	if (buf_reserve(b, (size_t)n, err) < 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	ASSERT(n <= b->len);
	b->len -= n;
	if (!b->len)
		buf_deinit(b);
	else
		memmove(b->data, b->data + n, b->len + 1);
}

const char *buf_str(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}
