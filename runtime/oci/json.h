/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h>

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/mem.h"

/*
 * json-c behind a strict door. Refused beyond what its strict mode refuses: keys and strings in
 * single quotes, control characters in strings, NaN and Infinity, integers that do not fit 64 bits,
 * NUL bytes, and documents that are neither object nor list.
 * Accessors are for optional members: an absent one, and a null one, give the default; a member of
 * another type is ERR_INVALID and names the path.
 */
#define JSON_MAX (8u << 20)
#define JSON_DEPTH 64

typedef struct json_object json;

static inline void json_cleanup_(json **j)
{
	json_object_put(*j);
}
#define CLEANUP_JSON CLEANUP(json_cleanup_)

/* Parses @n bytes. @what names them in errors. The result is the caller's (json_object_put). */
MUST_CHECK int json_parse(const void *bytes, size_t n, const char *what, json **ret,
			  struct err *err);

/* The member @key of @object; NULL when @object is NULL or has none, or it is null. */
json *json_member(json *object, const char *key);

/* As json_member(), but @ret is NULL or of @type. */
MUST_CHECK int json_typed(json *object, const char *key, json_type type, json **ret,
			  struct err *err);

/* The string @key, or @fallback. It lives as long as the document. Embedded NULs are refused. */
MUST_CHECK int json_text(json *object, const char *key, const char *fallback, const char **ret,
			 struct err *err);

/*
 * The array of strings @key, NULL-terminated, in @arena; empty when there is none. The strings live
 * as long as the document.
 */
MUST_CHECK int json_strings(json *object, const char *key, struct arena *arena,
			    const char *const **ret, struct err *err);

/* Appends the document, members in their order, numbers as they were written. */
MUST_CHECK int json_print(json *j, struct buf *out, struct err *err);
