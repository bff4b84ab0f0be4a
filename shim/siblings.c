/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/siblings.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define SANDBOX_MAX 128 /* an identifier has 76 bytes at most */

static bool belongs(const char *bundle, const char *sandbox)
{
	struct buf CLEANUP_BUF text = BUF_INIT(SANDBOX_MAX);
	char path[PATH_MAX];
	struct err err;

	return str_fmt(path, sizeof(path), "%s/sandbox", bundle) &&
	       file_read(AT_FDCWD, path, &text, &err) == 0 && str_eq(buf_str(&text), sandbox);
}

void siblings_each(const char *bundle, const char *id,
		   void (*clean)(char *bundle, const char *id, void *arg), void *arg)
{
	char parent[PATH_MAX], sibling[PATH_MAX];
	const struct dirent *e;
	char *slash;
	DIR *dir;

	slash = str_copy(parent, sizeof(parent), bundle) ? strrchr(parent, '/') : NULL;
	if (!slash || slash == parent)
		return;
	*slash = '\0';
	dir = opendir(parent);
	while (dir && (e = readdir(dir)))
		if (str_is_identifier(e->d_name) && !str_eq(e->d_name, id) &&
		    str_fmt(sibling, sizeof(sibling), "%s/%s", parent, e->d_name) &&
		    belongs(sibling, id))
			clean(sibling, e->d_name, arg);
	if (dir)
		closedir(dir);
}
