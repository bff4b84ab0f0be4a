/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ask.h"

#include <sys/wait.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"

static int start(const struct paths *paths, int request, int report, pid_t *ret_pid,
		 struct err *err)
{
	char *const argv[] = { (char *)(uintptr_t)paths->prepare, (char *)(uintptr_t) "settings",
			       NULL };
	const struct spawn_fd map[] = { { report, 3 }, { request, 5 } };
	const struct spawn what = {
		.path = paths->prepare, .argv = argv, .fds = map, .n_fds = ARRAY_SIZE(map)
	};

	return spawn(&what, ret_pid, err);
}

int ask_settings(const struct paths *paths, const struct prepare_request *request,
		 struct report *ret, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(sizeof(*ret));
	CLEANUP_FD int request_r = -1;
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	pid_t pid;
	int rc;

	if (request_memfd(request, &request_r, err) < 0 || fd_pipe(&r, &w, 0, err) < 0 ||
	    start(paths, request_r, w, &pid, err) < 0)
		return -1;
	fd_close(&w);
	rc = fd_read_all(r, "the report of crossarch-prepare", &text, err);
	waitpid(pid, NULL, 0);
	if (rc < 0 || report_decode(text.data, text.len, ret, err) < 0)
		return -1;
	if (ret->verdict == VERDICT_REFUSE)
		return err_set(err, ERR_PRECONDITION, "%s", ret->line);
	if (ret->verdict == VERDICT_NONE && ret->err.code != ERR_NONE) {
		*err = ret->err;
		return -1;
	}
	return 0;
}
