/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/cursor.h"
#include "runtime/base/mountinfo.h"
#include "shim/host/metrics_text.h"
#include "tests/fuzz/fuzz.h"

static uint64_t varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 70; shift += 7) {
		uint8_t b = cur_u8(c);

		v |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
		if (!(b & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

/* The wire format: keys with their values up to the very end, all fields in 1 to @fields. */
static void check_wire(const struct buf *out, unsigned int fields)
{
	struct cursor c = cursor_of(out->data, out->len);

	while (c.left) {
		uint64_t key = varint(&c);

		ASSERT(key >> 3 >= 1 && key >> 3 <= fields);
		switch (key & 7) {
		case 0:
			(void)varint(&c);
			break;
		case 1:
			cur_skip(&c, 8);
			break;
		case 2:
			cur_skip(&c, varint(&c));
			break;
		default:
			c.bad = true;
		}
		ASSERT(!c.bad);
	}
}

static void flat(struct protobuf_writer *w, unsigned int field, char *text)
{
	static stat_names names = { "anon", "file", "", "total", "max" };

	(void)field;
	text_flat(w, text, names, ARRAY_SIZE(names), 1000);
}

static void mounts(struct protobuf_writer *w, unsigned int field, char *text)
{
	struct mountinfo m;
	char *line;

	(void)w, (void)field;
	while ((line = strsep(&text, "\n")))
		if (mountinfo_parse(line, &m)) {
			ASSERT(m.root && m.point && m.type && m.options);
			(void)path_below(m.point, m.root);
		}
}

/* The text of a cgroup's file, read as each of the formats. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	static void (*const readers[])(struct protobuf_writer *, unsigned int, char *) = {
		flat, text_list, text_io, text_blkio, text_rdma, text_pressure, mounts,
	};

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		/* The smaller maximum is hit in the middle of something. */
		for (size_t max = 64; max <= 1u << 20; max <<= 14) {
			CLEANUP_FREE char *text = strndup((const char *)bytes, n);
			CLEANUP_BUF struct buf out = BUF_INIT(max);
			struct err err;
			struct protobuf_writer w = { &out, &err, false };

			ASSERT(text);
			readers[i](&w, 5, text);
			if (!w.failed)
				check_wire(&out, 5);
		}
	}
}
