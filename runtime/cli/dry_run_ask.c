/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/dry_run_ask.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/client.h"

/* Where the shim finds it: beside us, or where it was installed. */
static int find_prepare(char ret[PATH_MAX], struct err *err)
{
	static const char *const below[] = { "", "/../libexec/crossarch" };
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = n > 0 ? strrchr(self, '/') : NULL;

	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < ARRAY_SIZE(below); i++)
		if (str_fmt(ret, PATH_MAX, "%s%s/crossarch-prepare", self, below[i]) &&
		    access(ret, X_OK) == 0)
			return 0;
	if (str_copy(ret, PATH_MAX, CROSSARCH_LIBEXECDIR "/crossarch-prepare") &&
	    access(ret, X_OK) == 0)
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "crossarch-prepare is neither beside this program nor in %s; reinstall "
		       "crossarch",
		       CROSSARCH_LIBEXECDIR);
}

int dry_run_ask(const char *mode, const struct prepare_request *r, int bundle, int platform,
		struct report *ret, struct err *err)
{
	CLEANUP_FD int request = -1;
	struct prepare_fds fds = { .bundle = bundle, .platform = platform, .log = -1 };
	char path[PATH_MAX];

	if (find_prepare(path, err) < 0 || request_memfd(r, &request, err) < 0)
		return -1;
	fds.request = request;
	return prepare_ask(path, mode, &fds, ret, err);
}
