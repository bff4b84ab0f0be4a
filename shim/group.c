/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"

#define CONFIG "config.json"
#define CONFIG_MAX (8u << 20) /* as crossarch-prepare's */

/* A piece of JSON, as it stands in the text. */
struct piece {
	const char *at;
	size_t n;
};

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\n\r");
}

/* All of these return where the piece at @p ends, or NULL when the text ends before. */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++) {
		p += *p == '\\';
		if (!*p)
			return NULL;
	}
	return p + 1;
}

static const char *skip_nested(const char *p)
{
	size_t depth = 0;

	do {
		p += strcspn(p, "\"{}[]");
		if (*p == '"') {
			p = skip_string(p);
			if (!p)
				return NULL;
			continue;
		}
		if (!*p)
			return NULL;
		depth = *p == '{' || *p == '[' ? depth + 1 : depth - 1;
		p++;
	} while (depth);
	return p;
}

static const char *skip_value(const char *p)
{
	if (*p == '"')
		return skip_string(p);
	if (*p == '{' || *p == '[')
		return skip_nested(p);
	return p + strcspn(p, ",}] \t\n\r");
}

/* The member after *@at, which stands at the brace or behind a member. 1, 0 at the end, or -1. */
static int next_member(const char **at, struct piece *ret_name, struct piece *ret_value)
{
	const char *p = skip_space(*at), *end;

	if (*p == '{' || *p == ',')
		p = skip_space(p + 1);
	if (*p == '}')
		return 0;
	end = *p == '"' ? skip_string(p) : NULL;
	if (!end)
		return -1;
	*ret_name = (struct piece){ p, (size_t)(end - p) };
	p = skip_space(end);
	if (*p != ':')
		return -1;
	p = skip_space(p + 1);
	*at = skip_value(p);
	if (!*at || *at == p)
		return -1;
	*ret_value = (struct piece){ p, (size_t)(*at - p) };
	return 1;
}

static bool is(const struct piece *p, const char *quoted)
{
	return strlen(quoted) == p->n && memcmp(p->at, quoted, p->n) == 0;
}

static int find_annotations(const char *text, const char **ret)
{
	struct piece name, value;
	int rc;

	*ret = NULL;
	text = skip_space(text);
	if (*text != '{')
		return -1;
	while ((rc = next_member(&text, &name, &value)) > 0) {
		if (!is(&name, "\"annotations\""))
			continue;
		if (*value.at != '{' && !is(&value, "null"))
			return -1;
		*ret = *value.at == '{' ? value.at : NULL;
	}
	return rc;
}

/* The string @value without its quotes; false when it is none. */
static bool text_of(const struct piece *value, struct piece *ret)
{
	*ret = (struct piece){ value->at + 1, value->n - 2 };
	return *value->at == '"';
}

int group_find(const char *text, const char **ret, size_t *ret_n, struct err *err)
{
	struct piece own = { "", 0 }, pod = { "", 0 }, name, value;
	const char *at;
	int rc = find_annotations(text, &at);
	bool good = rc == 0;

	while (good && at && (rc = next_member(&at, &name, &value)) > 0)
		if (is(&name, "\"io.containerd.runc.v2.group\""))
			good = text_of(&value, &own);
		else if (is(&name, "\"io.kubernetes.cri.sandbox-id\"") ||
			 is(&name, "\"io.kubernetes.cri-o.SandboxID\""))
			good = text_of(&value, &pod);
	if (rc < 0 || !good)
		return err_set(err, ERR_INVALID,
			       CONFIG " is not an object whose annotations are strings");
	*ret = own.n ? own.at : pod.at;
	*ret_n = own.n ? own.n : pod.n;
	return 0;
}

int group_read(int dirfd, struct arena *arena, const char **ret, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(CONFIG_MAX);
	const char *found;
	char *copy;
	size_t n;

	*ret = "";
	if (faccessat(dirfd, CONFIG, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	if (file_read_regular(dirfd, CONFIG, &text, err) < 0 ||
	    group_find(buf_str(&text), &found, &n, err) < 0)
		return -1;
	copy = arena_alloc(arena, n + 1);
	if (!copy)
		return err_set(err, ERR_NOMEM, "no memory for the name of the pod");
	memcpy(copy, found, n);
	*ret = copy;
	return 0;
}
