/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/wire.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2 };

#define VARINT_MAX 10

static void add(struct wire *w, const void *bytes, size_t n)
{
	if (!w->failed && buf_add(w->out, bytes, n, w->err) < 0)
		w->failed = true;
}

static size_t varint(uint8_t to[VARINT_MAX], uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

void wire_packed(struct wire *w, uint64_t value)
{
	uint8_t bytes[VARINT_MAX];

	add(w, bytes, varint(bytes, value));
}

static void add_key(struct wire *w, unsigned int field, unsigned int type)
{
	wire_packed(w, field << 3 | type);
}

void wire_uint(struct wire *w, unsigned int field, uint64_t value)
{
	add_key(w, field, WIRE_VARINT);
	wire_packed(w, value);
}

void wire_double(struct wire *w, unsigned int field, double value)
{
	uint8_t bytes[8];
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> (8 * i));
	add_key(w, field, WIRE_FIXED64);
	add(w, bytes, sizeof(bytes));
}

void wire_bytes(struct wire *w, unsigned int field, const void *bytes, size_t n)
{
	add_key(w, field, WIRE_LENGTH);
	wire_packed(w, n);
	add(w, bytes, n);
}

/* The length is one byte until the end shows that it needs more. */
size_t wire_open(struct wire *w, unsigned int field)
{
	size_t mark = w->out->len;

	add_key(w, field, WIRE_LENGTH);
	add(w, "", 1);
	return mark;
}

/* Where the contents of the message opened at @mark begin: behind the key and one byte. */
static size_t contents(const struct wire *w, size_t mark)
{
	while (w->out->data[mark] & 0x80)
		mark++;
	return mark + 2;
}

void wire_close(struct wire *w, size_t mark, bool drop_empty)
{
	uint8_t length[VARINT_MAX];
	size_t at, n, n_length;

	if (w->failed)
		return;
	at = contents(w, mark);
	n = w->out->len - at;
	if (!n && drop_empty) {
		w->out->len = mark;
		return;
	}
	n_length = varint(length, n);
	if (n_length > 1) {
		add(w, length, n_length - 1);
		if (w->failed)
			return;
		memmove(w->out->data + at + n_length - 1, w->out->data + at, n);
	}
	memcpy(w->out->data + at - 1, length, n_length);
}
