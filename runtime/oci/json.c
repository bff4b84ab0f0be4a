/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/json.h"

#include <string.h>

#include <json-c/json_tokener.h>
#include <json-c/json_util.h>

#include "runtime/base/str.h"

/* Scans raw text for what json-c lets pass; strings are skipped, their insides are json-c's job. */
struct scan {
	const char *p, *end;
};

/* To the closing quote. False on a control character, which must be escaped. */
static bool skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
		if ((unsigned char)*s->p < 0x20)
			return false;
		if (*s->p == '\\' && s->p + 1 < s->end)
			s->p++;
	}
	return true;
}

/* A run of characters that can be part of a number or a word. */
static size_t run_length(const struct scan *s)
{
	const char *p = s->p;

	while (p < s->end && *p && !strchr(" \t\r\n,:[]{}\"'", *p))
		p++;
	return (size_t)(p - s->p);
}

static bool is_literal(const char *p, size_t n)
{
	return (n == 4 && (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)) ||
	       (n == 5 && memcmp(p, "false", 5) == 0);
}

/* An integer's digits against the limit of its sign, as text: equally long texts compare so. */
static bool fits_64_bits(const char *p, size_t n)
{
	const char *limit = *p == '-' ? "9223372036854775808" : "18446744073709551615";

	if (*p == '-') {
		p++;
		n--;
	}
	return n < strlen(limit) || (n == strlen(limit) && memcmp(p, limit, n) <= 0);
}

static int check_run(const char *p, size_t n, const char *what, struct err *err)
{
	int shown = (int)(n < 32 ? n : 32);

	if (is_literal(p, n))
		return 0;
	if (*p != '-' && (*p < '0' || *p > '9'))
		return err_set(err, ERR_INVALID, "%s: unexpected \"%.*s\"", what, shown, p);
	for (size_t i = 1; i < n; i++) {
		if (strchr(".eE+-", p[i]))
			return 0; /* a fraction: json-c keeps its text */
		if (p[i] < '0' || p[i] > '9')
			return err_set(err, ERR_INVALID, "%s: unexpected \"%.*s\"", what, shown, p);
	}
	if (!fits_64_bits(p, n))
		return err_set(err, ERR_INVALID, "%s: number %.*s does not fit 64 bits", what,
			       shown, p);
	return 0;
}

static int check_text(const char *text, size_t n, const char *what, struct err *err)
{
	struct scan s = { text, text + n };

	while (s.p < s.end) {
		size_t run = run_length(&s);

		if (!*s.p || *s.p == '\'' || (*s.p == '"' && !skip_string(&s)))
			return err_set(err, ERR_INVALID, "%s: unexpected byte 0x%02x", what,
				       (unsigned char)*s.p);
		if (run && check_run(s.p, run, what, err) < 0)
			return -1;
		s.p += run ? run : s.p < s.end;
	}
	return 0;
}

/* A bare number or word is JSON as well, but no document of ours. */
static bool is_container(const char *text, size_t n)
{
	size_t at = 0;

	while (at < n && strchr(" \t\r\n", text[at]))
		at++;
	return at < n && (text[at] == '{' || text[at] == '[');
}

int json_parse(const void *bytes, size_t n, const char *what, json **ret, struct err *err)
{
	struct json_tokener *tok;
	enum json_tokener_error why;
	json *j;

	if (n > JSON_MAX)
		return err_set(err, ERR_LIMIT, "%s: larger than %u bytes", what, JSON_MAX);
	if (!n)
		return err_set(err, ERR_INVALID, "%s: empty", what);
	if (check_text(bytes, n, what, err) < 0)
		return -1;
	if (!is_container(bytes, n))
		return err_set(err, ERR_INVALID, "%s: neither an object nor a list", what);
	tok = json_tokener_new_ex(JSON_DEPTH);
	if (!tok)
		return err_set(err, ERR_NOMEM, "%s: no memory", what);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	j = json_tokener_parse_ex(tok, bytes, (int)n);
	why = json_tokener_get_error(tok);
	if (why != json_tokener_success) {
		err_set(err, ERR_INVALID, "%s: %s at byte %zu", what,
			why == json_tokener_continue ? "document is cut off"
						     : json_tokener_error_desc(why),
			json_tokener_get_parse_end(tok));
		json_object_put(j);
		json_tokener_free(tok);
		return -1;
	}
	json_tokener_free(tok);
	*ret = j;
	return 0;
}

json *json_member(json *object, const char *key)
{
	json *value = NULL;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_get_ex(object, key, &value);
	return value;
}

int json_typed(json *object, const char *key, json_type type, json **ret, struct err *err)
{
	json *value = json_member(object, key);

	if (value && !json_object_is_type(value, type))
		return err_set(err, ERR_INVALID, "\"%s\" is not of type %s", key,
			       json_type_to_name(type));
	*ret = value;
	return 0;
}

int json_text(json *object, const char *key, const char *fallback, const char **ret,
	      struct err *err)
{
	json *value;

	if (json_typed(object, key, json_type_string, &value, err) < 0)
		return -1;
	if (!value) {
		*ret = fallback;
		return 0;
	}
	if (strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return err_set(err, ERR_INVALID, "\"%s\" holds a NUL byte", key);
	*ret = json_object_get_string(value);
	return 0;
}

int json_strings(json *object, const char *key, struct arena *arena, const char *const **ret,
		 struct err *err)
{
	const char **strings;
	json *array;
	size_t n;

	if (json_typed(object, key, json_type_array, &array, err) < 0)
		return -1;
	n = array ? json_object_array_length(array) : 0;
	strings = arena_alloc(arena, (n + 1) * sizeof(*strings));
	if (!strings)
		return err_set(err, ERR_NOMEM, "no memory for \"%s\"", key);
	for (size_t i = 0; i < n; i++) {
		json *item = json_object_array_get_idx(array, i);

		if (!json_object_is_type(item, json_type_string))
			return err_set(err, ERR_INVALID, "\"%s\" holds something else than text",
				       key);
		strings[i] = json_object_get_string(item);
	}
	*ret = strings;
	return 0;
}

int json_print(json *j, struct buf *out, struct err *err)
{
	size_t n;
	const char *text = json_object_to_json_string_length(
		j, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

	if (!text)
		return err_set(err, ERR_NOMEM, "no memory to print JSON");
	return buf_add(out, text, n, err);
}
