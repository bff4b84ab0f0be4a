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
struct wire {
	struct buf *out;
	struct err *err; /* says why when `failed` */
	bool failed;
};

/* A varint field; 0 is written as well. */
void wire_uint(struct wire *w, unsigned int field, uint64_t value);

void wire_double(struct wire *w, unsigned int field, double value);

/* A string or bytes field. */
void wire_bytes(struct wire *w, unsigned int field, const void *bytes, size_t n);

/* One element of a packed repeated field: between wire_open() and wire_close(). */
void wire_packed(struct wire *w, uint64_t value);

/* Begins a sub-message; what it returns goes to the wire_close() that ends it. */
size_t wire_open(struct wire *w, unsigned int field);

/* Ends it; an empty one stays, unless @drop_empty. */
void wire_close(struct wire *w, size_t mark, bool drop_empty);
