/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/exec_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define EXEC_PATCHED "process.json.crossarch"

int exec_path(const struct process *p, const char *what, char *ret, size_t size, struct err *err)
{
	if (str_fmt(ret, size, "%s/%s.%s", p->task->bundle, p->exec_id, what))
		return 0;
	return err_set(err, ERR_INVALID, "path of exec %s is too long", p->exec_id);
}

int exec_write_process(const struct process *p, const void *json, size_t n, struct err *err)
{
	char path[PATH_MAX];

	if (exec_path(p, EXEC_PROCESS, path, sizeof(path), err) < 0)
		return -1;
	return file_replace(AT_FDCWD, path, 0600, json, n, err);
}

int exec_read_process(const struct process *p, struct buf *json, struct err *err)
{
	char path[PATH_MAX];

	if (exec_path(p, EXEC_PROCESS, path, sizeof(path), err) < 0)
		return -1;
	return file_read(AT_FDCWD, path, json, err);
}

int exec_use_patched(const struct process *p, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (exec_path(p, EXEC_PATCHED, from, sizeof(from), err) < 0 ||
	    exec_path(p, EXEC_PROCESS, to, sizeof(to), err) < 0)
		return -1;
	return rename(from, to) < 0 ? err_sys(err, ERR_IO, "put %s in place", from) : 0;
}

void exec_remove_files(const struct process *p)
{
	static const char *const files[] = { EXEC_PROCESS, EXEC_PATCHED, EXEC_PID };
	char path[PATH_MAX];
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (exec_path(p, files[i], path, sizeof(path), &err) == 0)
			unlink(path);
}
