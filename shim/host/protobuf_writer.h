/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/buf.h"

/*
 * Writes protobuf's wire format into a buffer, for messages that are only ever packed: generated
 * descriptors of hundreds of fields would be relocated pointers, and those are private memory of
 * every shim. The first failure sticks: check `failed` once, at the end.
 */
struct protobuf_writer {
	struct buf *out;
	struct err *err; /* says why when `failed` */
	bool failed;
};

/* A varint field; 0 is written as well. */
void pb_uint(struct protobuf_writer *w, unsigned int field, uint64_t value);

void pb_double(struct protobuf_writer *w, unsigned int field, double value);

/* A string or bytes field. */
void pb_bytes(struct protobuf_writer *w, unsigned int field, const void *bytes, size_t n);

/* One element of a packed repeated field: between pb_open() and pb_close(). */
void pb_packed(struct protobuf_writer *w, uint64_t value);

/* Begins a sub-message; what it returns goes to the pb_close() that ends it. */
size_t pb_open(struct protobuf_writer *w, unsigned int field);

/* Ends it; an empty one stays, unless @drop_empty. */
void pb_close(struct protobuf_writer *w, size_t mark, bool drop_empty);
