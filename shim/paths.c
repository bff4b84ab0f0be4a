/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/paths.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/prepare/client.h"

/* Beside the shim, or where an installed prepare has it; "" when it is nowhere. */
static const char *find_cli(const char *dir, struct arena *arena)
{
	const char *const places[] = { dir, CROSSARCH_LIBEXECDIR "/../../bin" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (str_fmt(path, sizeof(path), "%s/crossarch", places[i]) &&
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
	char dir[PATH_MAX], prepare[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	if (n < 0)
		return err_sys(err, ERR_IO, "read /proc/self/exe");
	dir[n] = '\0';
	ret->self = arena_strdup(arena, dir);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	if (prepare_find(prepare, err) < 0)
		return -1;
	ret->cli = find_cli(dir, arena);
	ret->prepare = arena_strdup(arena, prepare);
	if (!ret->self || !ret->cli || !ret->prepare)
		return err_set(err, ERR_NOMEM, "no memory for the names of programs");
	ret->prepare_fd = open_program(ret->prepare);
	ret->cli_fd = open_program(ret->cli);
	return 0;
}
