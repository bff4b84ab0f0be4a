/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"

/*
 * The stdio URIs of containerd: "scheme:///path?key=value&key=value", percent-encoded.
 * A string without "://" is a plain path and has the scheme "".
 */
#define URI_SCHEME_MAX 32

/* Copies the scheme, cut to URI_SCHEME_MAX - 1 bytes; returns what follows "://" (or all of @s). */
const char *uri_scheme(const char *s, char ret_scheme[URI_SCHEME_MAX]);

/* Decodes %XX in place, and "+" as a blank when @query. Stray percent signs stay as they are. */
void uri_decode(char *s, bool query);

/*
 * Cuts the query off @rest (what uri_scheme() returned, in writable memory) and decodes the path.
 * @ret_query gets the undecoded query, "" when there is none. ERR_INVALID unless the path is
 * absolute.
 */
MUST_CHECK int uri_split(char *rest, char **ret_query, struct err *err);
