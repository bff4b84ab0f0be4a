/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/paths.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "runtime/base/str.h"

/* Where programs of ours may be: after the directory of the shim, or after the installed one. */
struct place {
	bool beside;
	const char *below;
};

static const struct place cli_places[] = { { true, "" }, { false, "/../../bin" } };
static const struct place prepare_places[] = { { true, "" },
					       { true, "/../libexec/crossarch" },
					       { false, "" } };

/* "" when it is nowhere, NULL without memory. */
static const char *find_program(const char *dir, const struct place *places, size_t n,
				const char *name, struct arena *arena)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < n; i++)
		if (str_fmt(path, sizeof(path), "%s%s/%s",
			    places[i].beside ? dir : CROSSARCH_LIBEXECDIR, places[i].below, name) &&
		    access(path, X_OK) == 0)
			return arena_strdup(arena, path);
	return "";
}

/* Without it the name has to do. */
static int open_program(const char *path)
{
	int fd = *path ? open(path, O_PATH | O_CLOEXEC) : -1;

	return fd > 0 ? fd : 0;
}

int paths_find(struct arena *arena, struct paths *ret, struct err *err)
{
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	if (n < 0)
		return err_sys(err, ERR_IO, "read /proc/self/exe");
	dir[n] = '\0';
	ret->self = arena_strdup(arena, dir);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	ret->cli = find_program(dir, cli_places, ARRAY_SIZE(cli_places), "crossarch", arena);
	ret->prepare = find_program(dir, prepare_places, ARRAY_SIZE(prepare_places),
				    "crossarch-prepare", arena);
	if (!ret->self || !ret->cli || !ret->prepare)
		return err_set(err, ERR_NOMEM, "no memory for the names of programs");
	ret->prepare_fd = open_program(ret->prepare);
	ret->cli_fd = open_program(ret->cli);
	if (*ret->prepare)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "crossarch-prepare is neither in %.200s nor in %s; reinstall crossarch", dir,
		       CROSSARCH_LIBEXECDIR);
}
