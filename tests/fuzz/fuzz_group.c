/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/oci/json.h"
#include "shim/group.h"
#include "tests/fuzz/fuzz.h"

/* What json-c finds there, "" without it; NULL when it is no string. */
static const char *text_in(json *annotations, const char *key)
{
	json *value;

	if (!json_object_object_get_ex(annotations, key, &value))
		return "";
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool twice(const char *text, const char *word)
{
	const char *first = strstr(text, word);

	return first && strstr(first + 1, word);
}

static bool has_twice(const char *text)
{
	return twice(text, "\"annotations\"") || twice(text, "\"io.containerd.runc.v2.group\"") ||
	       twice(text, "\"io.kubernetes.cri.sandbox-id\"");
}

static const char *group_in(json *document)
{
	json *annotations = json_member(document, "annotations");
	const char *own, *pod;

	if (!annotations)
		return "";
	if (!json_object_is_type(annotations, json_type_object))
		return NULL;
	own = text_in(annotations, "io.containerd.runc.v2.group");
	pod = text_in(annotations, "io.kubernetes.cri.sandbox-id");
	return !own || !pod ? NULL : *own ? own : pod;
}

/*
 * What is JSON, and has no escapes (which are left as they are), is read as json-c reads it; but a
 * member that is there twice may be refused for the one that json-c forgets.
 */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = malloc(n + 1);
	CLEANUP_JSON json *document = NULL;
	const char *found, *want;
	size_t found_n;
	struct err err;
	int rc;

	ASSERT(text);
	if (n)
		memcpy(text, bytes, n);
	text[n] = '\0';
	rc = group_find(text, &found, &found_n, &err);
	ASSERT(rc < 0 || !found_n || (found >= text && found + found_n <= text + strlen(text)));
	ASSERT(rc == 0 || (err.code == ERR_INVALID && err.text[0]));
	if (strlen(text) != n || strchr(text, '\\') ||
	    json_parse(text, n, "text", &document, &err) < 0 ||
	    !json_object_is_type(document, json_type_object))
		return;
	want = group_in(document);
	ASSERT(want || rc < 0);
	if (want && (rc == 0 || !has_twice(text)))
		ASSERT(rc == 0 && strlen(want) == found_n && memcmp(found, want, found_n) == 0);
}
