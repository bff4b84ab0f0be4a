/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/stream_message.h"

#include <stdbool.h>
#include <string.h>

#include "runtime/base/cursor.h"
#include "runtime/base/mem.h"

#define DATA_TYPE "containerd.types.transfer.Data"
#define WINDOW_TYPE "containerd.types.transfer.WindowUpdate"
#define EMPTY_TYPE "google.protobuf.Empty"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 };
enum { ANY_TYPE = 1, ANY_VALUE = 2, ONLY_FIELD = 1 };

/* No pointers: they would be relocated, and that is private memory. */
static const struct {
	char name[48];
	enum stream_kind kind;
	unsigned int wire; /* type of its field */
} kinds[] = {
	{ "containerd.services.streaming.v1.StreamInit", STREAM_INIT, WIRE_LENGTH },
	{ DATA_TYPE, STREAM_DATA, WIRE_LENGTH },
	{ WINDOW_TYPE, STREAM_WINDOW, WIRE_VARINT },
};

/* --- reading ------------------------------------------------------------------------------ */

struct field {
	const uint8_t *bytes;
	size_t n;
	uint64_t number;
};

static uint64_t read_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t b = cur_u8(c);

		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

static void read_value(struct cursor *c, unsigned int wire, struct field *ret)
{
	uint64_t length;

	*ret = (struct field){ .bytes = NULL };
	switch (wire) {
	case WIRE_VARINT:
		ret->number = read_varint(c);
		break;
	case WIRE_LENGTH:
		length = read_varint(c);
		ret->n = length <= c->left ? (size_t)length : c->left + 1; /* too long: bad */
		ret->bytes = cur_bytes(c, ret->n);
		break;
	case WIRE_FIXED64:
		cur_skip(c, 8);
		break;
	case WIRE_FIXED32:
		cur_skip(c, 4);
		break;
	default:
		c->bad = true;
	}
}

/* The last field @number of that wire type, as protobuf has it; all others are skipped. */
static bool find_field(const uint8_t *bytes, size_t n, unsigned int number, unsigned int wire,
		       struct field *ret)
{
	struct cursor c = cursor_of(bytes, n);
	struct field value;

	*ret = (struct field){ .bytes = NULL };
	while (c.left && !c.bad) {
		uint64_t key = read_varint(&c);

		read_value(&c, key & 7, &value);
		if (key == (number << 3 | wire))
			*ret = value;
	}
	return !c.bad;
}

/* What follows the last slash: Go's packages put a prefix in front of a type, or none. */
static bool names_type(const struct field *url, const char *name)
{
	const uint8_t *slash = url->n ? memrchr(url->bytes, '/', url->n) : NULL;
	const uint8_t *from = slash ? slash + 1 : url->bytes;
	size_t n = url->n ? (size_t)(url->bytes + url->n - from) : 0;

	return n == strlen(name) && memcmp(from, name, n) == 0;
}

static int not_a_message(struct err *err)
{
	return err_set(err, ERR_INVALID, "message of a stream does not decode");
}

int stream_message_decode(const uint8_t *bytes, size_t n, struct stream_message *ret,
			  struct err *err)
{
	struct field url, value, only;

	*ret = (struct stream_message){ .kind = STREAM_OTHER };
	if (!find_field(bytes, n, ANY_TYPE, WIRE_LENGTH, &url) ||
	    !find_field(bytes, n, ANY_VALUE, WIRE_LENGTH, &value))
		return not_a_message(err);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!names_type(&url, kinds[i].name))
			continue;
		if (!find_field(value.bytes, value.n, ONLY_FIELD, kinds[i].wire, &only))
			return not_a_message(err);
		ret->kind = kinds[i].kind;
		ret->bytes = only.n ? only.bytes : NULL;
		ret->n = only.n;
		ret->update = (int32_t)only.number;
	}
	return 0;
}

/* --- writing ------------------------------------------------------------------------------ */

/* Backwards: ends before @end; where it begins. */
static uint8_t *put_varint(uint8_t *end, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (uint8_t)(v | 0x80);
	bytes[n++] = (uint8_t)v;
	return memcpy(end - n, bytes, n);
}

static uint8_t *put_length(uint8_t *end, unsigned int field, size_t n)
{
	end = put_varint(end, n);
	*--end = (uint8_t)(field << 3 | WIRE_LENGTH);
	return end;
}

/* The beginning of an Any whose value, of @n bytes, begins at @end. */
static uint8_t *put_any(uint8_t *end, const char *type, size_t n)
{
	size_t n_type = strlen(type);

	if (n)
		end = put_length(end, ANY_VALUE, n);
	end -= n_type;
	memcpy(end, type, n_type);
	return put_length(end, ANY_TYPE, n_type);
}

uint8_t *stream_data_head(uint8_t *data, size_t n)
{
	uint8_t *at = put_length(data, ONLY_FIELD, n);

	return put_any(at, DATA_TYPE, n + (size_t)(data - at));
}

static size_t to_front(uint8_t *buf, const uint8_t *at)
{
	size_t n = STREAM_SMALL_MAX - (size_t)(at - buf);

	memmove(buf, at, n);
	return n;
}

size_t stream_window(uint8_t ret[STREAM_SMALL_MAX], uint32_t update)
{
	uint8_t *end = ret + STREAM_SMALL_MAX;
	uint8_t *at = put_varint(end, update);

	*--at = ONLY_FIELD << 3 | WIRE_VARINT;
	return to_front(ret, put_any(at, WINDOW_TYPE, (size_t)(end - at)));
}

size_t stream_is_ready(uint8_t ret[STREAM_SMALL_MAX])
{
	return to_front(ret, put_any(ret + STREAM_SMALL_MAX, EMPTY_TYPE, 0));
}
