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
	{ "chpst", OPTIONS, "uUbemdofcPn", { 111 } },
	{ "env", ENV, "uC", { 2, 126, 127 } },
	{ "nice", OPTIONS, "n", { 2, 126, 127 } },
	{ "nohup", OPTIONS, "", { 2, 126, 127 } },
	{ "timeout", VALUE, "ks", { 2, 126, 127 } },
	{ "stdbuf", OPTIONS, "ioe", { 2, 126, 127 } },
	{ "ionice", OPTIONS, "cn", { 2, 126, 127 } },
	{ "with-contenv", PLAIN, "", { 1, 2, 111, 126, 127 } },
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

/* The index behind the options that begin at @i; 0 when a long option may take an argument. */
static size_t skip_options(const struct wrapper *w, const char *const *args, size_t i)
{
	for (; args[i] && args[i][0] == '-' && args[i][1]; i++) {
		size_t n = strlen(args[i]);

		if (str_eq(args[i], "--"))
			return i + 1;
		if (args[i][1] == '-') {
			/* --name=value and --name: those of these programs that take one apart */
			if (!strchr(args[i], '=') && w->with[0] && w->style != ENV &&
			    !str_eq(args[i], "--single-child") && !str_eq(args[i], "--verbose") &&
			    !str_eq(args[i], "--foreground") &&
			    !str_eq(args[i], "--preserve-status"))
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

bool wrapper_passes_on(const char *text, size_t n)
{
	return memmem(text, n, "\"$@\"", 4) || memmem(text, n, "\"${@}\"", 6) ||
	       memmem(text, n, "exec $@", 7) || memmem(text, n, "exec $*", 7);
}
