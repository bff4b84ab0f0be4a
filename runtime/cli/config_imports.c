/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_imports.h"

#include <string.h>

#include "runtime/base/str.h"

#define EVERY_FILE "/*.toml"

/* What stands behind "imports =" before the first table; NULL without. */
static const char *find_array(const char *file)
{
	const char *line;
	size_t n;

	while (str_line(&file, &line, &n)) {
		const char *at = line + strspn(line, " \t");
		const char *value = str_after(at, "imports");

		if (*at == '[')
			return NULL;
		if (!value)
			continue;
		value += strspn(value, " \t");
		if (*value == '=')
			return strchr(value, '[');
	}
	return NULL;
}

size_t config_imports(const char *file, struct config_import *ret, size_t max)
{
	const char *at = find_array(file);
	size_t n = 0;

	for (at = at ? at + 1 : ""; *at && *at != ']' && n < max; at++) {
		const char *end;

		if (*at == '#') {
			at += strcspn(at, "\n");
			if (!*at)
				break;
		}
		if (*at != '"' && *at != '\'')
			continue;
		end = strchr(at + 1, *at);
		if (!end)
			break;
		ret[n++] = (struct config_import){ at + 1, (size_t)(end - at - 1) };
		at = end;
	}
	return n;
}

static bool directory_of(const struct config_import *i, const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t every = strlen(EVERY_FILE), n = i->n - every;

	if (i->n <= every || memcmp(i->text + n, EVERY_FILE, every) != 0 ||
	    memchr(i->text, '*', n) || memchr(i->text, '\\', n))
		return false;
	if (*i->text == '/')
		return str_fmt(ret, PATH_MAX, "%.*s", (int)n, i->text);
	return slash &&
	       str_fmt(ret, PATH_MAX, "%.*s/%.*s", (int)(slash - path), path, (int)n, i->text);
}

bool config_import_directory(const char *file, const char *path, char ret[PATH_MAX],
			     struct config_import *ret_import)
{
	struct config_import list[CONFIG_IMPORTS];
	size_t n = config_imports(file, list, CONFIG_IMPORTS);

	for (size_t i = 0; i < n; i++)
		if (directory_of(&list[i], path, ret)) {
			*ret_import = list[i];
			return true;
		}
	return false;
}
