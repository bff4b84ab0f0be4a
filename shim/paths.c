/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/paths.h"

#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"

static bool find(const char *dir, const char *below, const char *name, char ret[PATH_MAX])
{
	if (str_fmt(ret, PATH_MAX, "%s%s/%s", dir, below, name) && access(ret, X_OK) == 0)
		return true;
	ret[0] = '\0';
	return false;
}

int paths_find(struct paths *ret, struct err *err)
{
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	if (n < 0)
		return err_sys(err, ERR_IO, "read /proc/self/exe");
	dir[n] = '\0';
	memcpy(ret->self, dir, (size_t)n + 1);
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	if (!find(dir, "", "crossarch", ret->cli))
		(void)find(CROSSARCH_LIBEXECDIR, "/../../bin", "crossarch", ret->cli);
	if (find(dir, "", "crossarch-prepare", ret->prepare) ||
	    find(dir, "/../libexec/crossarch", "crossarch-prepare", ret->prepare) ||
	    find(CROSSARCH_LIBEXECDIR, "", "crossarch-prepare", ret->prepare))
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "crossarch-prepare is neither in %.200s nor in %s; reinstall crossarch", dir,
		       CROSSARCH_LIBEXECDIR);
}
