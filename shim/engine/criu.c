/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/engine/criu.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/str.h"

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int criu_find(const char *path, struct err *err)
{
	char file[PATH_MAX];

	for (const char *p = path ? path : ""; *p; p += *p == ':') {
		size_t n = strcspn(p, ":");

		/* An empty one would be the working directory, which is the container's bundle. */
		if (*p == '/' && str_fmt(file, sizeof(file), "%.*s/criu", (int)n, p) &&
		    is_program(file))
			return 0;
		p += n;
	}
	return err_set(err, ERR_UNSUPPORTED,
		       "checkpoint and restore need criu, which is not in the PATH of containerd "
		       "on this node (apt-get install criu)");
}
