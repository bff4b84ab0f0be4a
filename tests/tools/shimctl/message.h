/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdio.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * Messages of the Task API as words of a shell: FIELD=VALUE on the way in, one "path=value" per
 * field on the way out, driven by protobuf-c's descriptors.
 */

/* The message type @name ("CreateTaskRequest"), or NULL. */
const ProtobufCMessageDescriptor *message_type(const char *name);

/*
 * Appends one field to @b. VALUE is a number, true or false, or text; of a message field the name
 * of a file with its bytes; of an Any field TYPE:FILE.
 */
MUST_CHECK int message_add(const ProtobufCMessageDescriptor *type, const char *word, struct buf *b,
			   struct err *err);

/* Decodes @bytes and prints them, each line beginning with @prefix. */
MUST_CHECK int message_print(const ProtobufCMessageDescriptor *type, const void *bytes, size_t n,
			     const char *prefix, FILE *out, struct err *err);
