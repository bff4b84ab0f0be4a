/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/protobuf_writer.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2 };

#define VARINT_MAX 10

static void add_bytes(struct protobuf_writer *w, const void *bytes, size_t n)
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

void pb_packed(struct protobuf_writer *w, uint64_t value)
{
	uint8_t bytes[VARINT_MAX];

	add_bytes(w, bytes, varint(bytes, value));
}

static void add_key(struct protobuf_writer *w, unsigned int field, unsigned int type)
{
	pb_packed(w, field << 3 | type);
}

void pb_uint(struct protobuf_writer *w, unsigned int field, uint64_t value)
{
	add_key(w, field, WIRE_VARINT);
	pb_packed(w, value);
}

void pb_double(struct protobuf_writer *w, unsigned int field, double value)
{
	uint8_t bytes[8];
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> (8 * i));
	add_key(w, field, WIRE_FIXED64);
	add_bytes(w, bytes, sizeof(bytes));
}

void pb_bytes(struct protobuf_writer *w, unsigned int field, const void *bytes, size_t n)
{
	add_key(w, field, WIRE_LENGTH);
	pb_packed(w, n);
	add_bytes(w, bytes, n);
}

/* The length is one byte until the end shows that it needs more. */
size_t pb_open(struct protobuf_writer *w, unsigned int field)
{
	size_t mark = w->out->len;

	add_key(w, field, WIRE_LENGTH);
	add_bytes(w, "", 1);
	return mark;
}

/* Where the contents of the message opened at @mark begin: behind the key and one byte. */
static size_t contents(const struct protobuf_writer *w, size_t mark)
{
	while (w->out->data[mark] & 0x80)
		mark++;
	return mark + 2;
}

void pb_close(struct protobuf_writer *w, size_t mark, bool drop_empty)
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
		add_bytes(w, length, n_length - 1);
		if (w->failed)
			return;
		memmove(w->out->data + at + n_length - 1, w->out->data + at, n);
	}
	memcpy(w->out->data + at - 1, length, n_length);
}
