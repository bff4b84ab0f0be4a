/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/wrapper.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

enum style {
	OPTIONS, /* options, then the command; "--" ends them */
	USER,	 /* a user, then the command */
	ENV,	 /* options, NAME=VALUE, then the command */
	VALUE,	 /* options, one operand, then the command */
	PLAIN,	 /* the command at once */
};

/* `with`: letters of options that take the next argument; `statuses`: how a failed exec ends it. */
static const struct wrapper {
	const char *name;
	enum style style;
	const char *with;
	uint8_t statuses[6];
} wrappers[] = {
	{ "tini", OPTIONS, "pe", { 1, 2, 126, 127 } },
	{ "tini-static", OPTIONS, "pe", { 1, 2, 126, 127 } },
	{ "docker-init", OPTIONS, "pe", { 1, 2, 126, 127 } },
	{ "dumb-init", OPTIONS, "r", { 2, 126, 127 } },
	{ "catatonit", OPTIONS, "", { 1, 2, 126, 127 } },
	{ "gosu", USER, "", { 1 } },
	{ "su-exec", USER, "", { 1, 2, 126, 127 } },
	{ "s6-setuidgid", USER, "", { 111, 126, 127 } },
	{ "s6-applyuidgid", OPTIONS, "ugG", { 111, 126, 127 } },
	{ "chpst", OPTIONS, "uUbemdofcPn", { 111 } },
	{ "env", ENV, "uC", { 2, 126, 127 } },
	{ "nice", OPTIONS, "n", { 2, 126, 127 } },
	{ "nohup", OPTIONS, "", { 2, 126, 127 } },
	{ "timeout", VALUE, "ks", { 2, 126, 127 } },
	{ "stdbuf", OPTIONS, "ioe", { 2, 126, 127 } },
	{ "ionice", OPTIONS, "cn", { 2, 126, 127 } },
	{ "setsid", OPTIONS, "", { 2, 126, 127 } },
	{ "setpriv", OPTIONS, "?", { 2, 126, 127 } },
	{ "with-contenv", PLAIN, "", { 1, 2, 111, 126, 127 } },
};

/* Long options of theirs that take no argument; any other may take the next one. */
static const char *const valueless[] = {
	"--single-child", "--verbose",	   "--foreground",  "--preserve-status", "--no-new-privs",
	"--clear-groups", "--init-groups", "--keep-groups", "--reset-env",
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* s6-overlay's /init runs the rest of its arguments; any other program of that name is unknown. */
static const struct wrapper s6_init = { "init", PLAIN, "", { 1, 2, 111, 126, 127 } };

static const struct wrapper *find(const char *program)
{
	if (str_eq(program, "/init"))
		return &s6_init;
	for (size_t i = 0; i < ARRAY_SIZE(wrappers); i++)
		if (str_eq(base_of(program), wrappers[i].name))
			return &wrappers[i];
	return NULL;
}

static bool is_valueless(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(valueless); i++)
		if (str_eq(option, valueless[i]))
			return true;
	return false;
}

/* The index behind the options that begin at @i; 0 when a long option may take an argument. */
static size_t skip_options(const struct wrapper *w, const char *const *args, size_t i)
{
	for (; args[i] && args[i][0] == '-' && args[i][1]; i++) {
		size_t n = strlen(args[i]);

		if (str_eq(args[i], "--"))
			return i + 1;
		if (args[i][1] == '-') {
			if (!strchr(args[i], '=') && w->with[0] && w->style != ENV &&
			    !is_valueless(args[i]))
				return 0;
			continue;
		}
		/* The letter that takes an argument is the last, or the argument follows at once.
		 */
		if (strchr(w->with, args[i][n - 1]) && n == 2 && args[i + 1])
			i++;
	}
	return i;
}

static size_t command_at(const struct wrapper *w, const char *const *args)
{
	size_t i;

	switch (w->style) {
	case PLAIN:
		return 1;
	case USER:
		return args[1] && args[1][0] != '-' ? 2 : 0;
	case OPTIONS:
		return skip_options(w, args, 1);
	case VALUE:
		i = skip_options(w, args, 1);
		return i && args[i] ? i + 1 : 0;
	case ENV:
		i = skip_options(w, args, 1);
		while (i && args[i] && strchr(args[i], '='))
			i++;
		return i;
	}
	return 0;
}

size_t wrapper_command(const char *const *args)
{
	const struct wrapper *w = args[0] ? find(args[0]) : NULL;
	size_t i, n = 0;

	if (!w)
		return 0;
	while (args[n])
		n++;
	/* env -S splits a text of its own. */
	if (w->style == ENV && args[1] &&
	    (str_after(args[1], "-S") || str_after(args[1], "--split")))
		return 0;
	i = n > 1 ? command_at(w, args) : 0;
	return i && i < n ? i : 0;
}

const char *wrapper_name(const char *program)
{
	const struct wrapper *w = find(program);

	return w && w != &s6_init ? w->name : NULL;
}

bool wrapper_fails_with(const char *program, uint64_t status)
{
	const struct wrapper *w = find(program);

	for (size_t i = 0; w && i < ARRAY_SIZE(w->statuses) && w->statuses[i]; i++)
		if (w->statuses[i] == status)
			return true;
	return false;
}

const char *wrapper_shell_text(const char *const *args, size_t *ret_rest)
{
	size_t i = 1;

	*ret_rest = 0;
	if (!args[0] || !str_ends(base_of(args[0]), "sh"))
		return NULL;
	/* Options like -e before the one with the c. */
	while (args[i] && args[i][0] == '-' && !str_ends(args[i], "c"))
		i++;
	if (!args[i] || args[i][0] != '-' || !args[i + 1])
		return NULL;
	*ret_rest = args[i + 2] ? i + 3 : i + 2;
	return args[i + 1];
}

size_t wrapper_shell_script(const char *const *args)
{
	size_t i = 1;

	if (!args[0] || !str_ends(base_of(args[0]), "sh"))
		return 0;
	/* An option of one letter with an argument of its own: the script is not looked for. */
	for (; args[i] && args[i][0] == '-' && args[i][1]; i++)
		if (str_ends(args[i], "c") || str_ends(args[i], "o") || args[i][1] == '-')
			return 0;
	return args[i] && args[i][0] != '-' && args[i][0] != '+' ? i : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A wrapper's name among the words between @line and @end. */
static const char *wrapper_between(const char *line, const char *end)
{
	while (line < end) {
		const char *word = line;
		size_t n;

		while (line < end && !is_blank(*line))
			line++;
		for (const char *p = word; p < line; p++)
			if (*p == '/')
				word = p + 1;
		n = (size_t)(line - word);
		for (size_t i = 0; i < ARRAY_SIZE(wrappers); i++)
			if (strlen(wrappers[i].name) == n && memcmp(word, wrappers[i].name, n) == 0)
				return wrappers[i].name;
		line++;
	}
	return NULL;
}

/* Goes to the next of these words in the text; NULL when there is none. */
static const char *next_arguments(const char *p, const char *end)
{
	static const char *const words[] = { "\"$@\"", "\"${@}\"", "exec $@", "exec $*" };
	const char *first = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *found = memmem(p, (size_t)(end - p), words[i], strlen(words[i]));

		if (found && (!first || found < first))
			first = found;
	}
	return first;
}

bool wrapper_passes_on(const char *text, size_t n, const char **ret_by)
{
	const char *p = text, *end = text + n;
	bool any = false;

	*ret_by = NULL;
	while (!*ret_by && (p = next_arguments(p, end))) {
		const char *line = p;

		while (line > text && line[-1] != '\n')
			line--;
		*ret_by = wrapper_between(line, p);
		any = true;
		p++;
	}
	return any;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool wrapper_sets(const char *text, size_t n, const char *variable)
{
	const char *p = text, *end = text + n;
	size_t length = strlen(variable);

	for (; (p = memmem(p, (size_t)(end - p), variable, length)); p += length)
		if (p + length < end && p[length] == '=' &&
		    (p == text || (!is_letter(p[-1]) && p[-1] != '_')))
			return true;
	return false;
}

bool wrapper_stops_by(const char *option)
{
	if (*option++ != '-')
		return false;
	for (; is_letter(*option); option++)
		if (*option == 'e')
			return true;
	return false;
}

bool wrapper_stops(const char *text, size_t n)
{
	const char *p = text, *end = text + n;

	while ((p = memmem(p, (size_t)(end - p), "set -", 5))) {
		bool begins = p == text || p[-1] == '\n' || p[-1] == ';' || is_blank(p[-1]);

		p += 5;
		if (begins && (size_t)(end - p) >= 9 && memcmp(p, "o errexit", 9) == 0)
			return true;
		for (; begins && p < end && is_letter(*p); p++)
			if (*p == 'e')
				return true;
	}
	return false;
}
