/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/args.h"
#include "shim/bootstrap.h"
#include "shim/host/uri.h"
#include "tests/fuzz/fuzz.h"

#define ARGS 32

/* The bytes as an argument vector, cut at each NUL. */
static void check_args(char *text, size_t n)
{
	char *argv[ARGS + 2] = { text };
	struct args args;
	struct err err;
	int argc = 1;

	for (size_t at = 0; at < n && argc <= ARGS; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	if (args_parse(argc, argv, &args, &err) < 0) {
		ASSERT(err.code == ERR_INVALID && err.text[0]);
		return;
	}
	ASSERT(args.namespace && args.id && args.address && args.publish_binary && args.bundle);
	ASSERT(args.action && (args.action[0] != '-' || !args.action[1]));
}

static void check_uri(char *text)
{
	char scheme[URI_SCHEME_MAX], *query;
	size_t n = strlen(text);
	struct err err;
	const char *rest = uri_scheme(text, scheme);

	ASSERT(strlen(scheme) < sizeof(scheme) && rest >= text && rest <= text + n);
	if (uri_split(text + (rest - text), &query, &err) == 0)
		ASSERT(*rest == '/' && query >= rest && query <= text + n);
}

void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_ARENA struct arena arena = { NULL, 0, 64u << 20 };
	CLEANUP_FREE char *text = malloc(n + 1);
	struct args none = { "", "", "", "", "", "", "", false, false, false, "", NULL };
	struct bootstrap b;
	struct err err;

	ASSERT(text);
	if (n)
		memcpy(text, bytes, n);
	text[n] = '\0';
	if (bootstrap_decode(bytes, n, &none, &arena, &b, &err) == 0) {
		ASSERT(b.socket_dir && (!b.options || b.options->type_url));
		bootstrap_complete(&b, &none);
		ASSERT(none.id && none.namespace && none.address && none.publish_binary);
	}
	check_args(text, n);
	check_uri(text);
}
