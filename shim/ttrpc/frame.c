/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ttrpc/frame.h"

#include "runtime/base/cursor.h"

void frame_decode(const uint8_t bytes[FRAME_HEADER], struct frame *ret)
{
	struct cursor c = cursor_of(bytes, FRAME_HEADER);

	ret->length = cur_be32(&c);
	ret->stream = cur_be32(&c);
	ret->type = cur_u8(&c);
	ret->flags = cur_u8(&c);
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void frame_encode(const struct frame *f, uint8_t ret_bytes[FRAME_HEADER])
{
	put_be32(ret_bytes, f->length);
	put_be32(ret_bytes + 4, f->stream);
	ret_bytes[8] = f->type;
	ret_bytes[9] = f->flags;
}
