/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/err.h"

/*
 * The messages of a stream (shim/README.md, Streams through TTRPC): each is a google.protobuf.Any
 * around a message with a single field. They are read and written by hand, because generated code
 * would copy the data twice, and its descriptors are private memory of every shim.
 */
enum stream_kind {
	STREAM_OTHER,  /* none of these */
	STREAM_INIT,   /* containerd.services.streaming.v1.StreamInit */
	STREAM_DATA,   /* containerd.types.transfer.Data */
	STREAM_WINDOW, /* containerd.types.transfer.WindowUpdate */
};

struct stream_message {
	enum stream_kind kind;
	const uint8_t *bytes; /* the id or the data, inside what was decoded; NULL when empty */
	size_t n;
	int32_t update; /* of a window */
};

/* ERR_INVALID when it is not an Any, or one of ours that does not decode. */
MUST_CHECK int stream_message_decode(const uint8_t *bytes, size_t n, struct stream_message *ret,
				     struct err *err);

/* Most bytes of data in a message of ours: what containerd reads at a time, and less. */
#define STREAM_DATA_MAX (16u << 10)
#define STREAM_HEAD_MAX 48

/*
 * Writes into the STREAM_HEAD_MAX bytes before @data what makes its @n (up to STREAM_DATA_MAX)
 * bytes a message; returns where that begins.
 */
uint8_t *stream_data_head(uint8_t *data, size_t n);

/* A window update, or without @update the empty message that says a stream is ready; its size. */
#define STREAM_SMALL_MAX 64
size_t stream_window(uint8_t ret[STREAM_SMALL_MAX], uint32_t update);
size_t stream_is_ready(uint8_t ret[STREAM_SMALL_MAX]);
