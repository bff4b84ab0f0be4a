/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The 10-byte TTRPC frame header (github.com/containerd/ttrpc, PROTOCOL.md); all numbers
 * big-endian.
 */
#define FRAME_HEADER 10
#define FRAME_MAX (4u << 20) /* largest payload, both directions */

enum frame_type { FRAME_REQUEST = 1, FRAME_RESPONSE = 2, FRAME_DATA = 3 };

/* The sender is done, of data; it will go on, of a request; the frame has no message, of data. */
enum frame_flags { FRAME_CLOSED = 1, FRAME_OPEN = 2, FRAME_NO_DATA = 4 };

struct frame {
	uint32_t length; /* bytes of payload that follow */
	uint32_t stream;
	uint8_t type, flags;
};

/* Any ten bytes are a header; whether its values are acceptable is the reader's business. */
void frame_decode(const uint8_t bytes[FRAME_HEADER], struct frame *ret);
void frame_encode(const struct frame *f, uint8_t ret_bytes[FRAME_HEADER]);
