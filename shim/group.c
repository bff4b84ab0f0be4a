/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/group.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"

static int start(const struct paths *paths, const char *bundle, int request, int report,
		 pid_t *ret_pid, struct err *err)
{
	char *const argv[] = { (char *)(uintptr_t)paths->prepare, (char *)(uintptr_t) "group",
			       NULL };
	CLEANUP_FD int dir = *bundle ? open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct spawn_fd map[] = { { report, 3 }, { request, 5 }, { dir, 4 } };
	struct spawn what = {
		.path = paths->prepare, .argv = argv, .fds = map, .n_fds = dir < 0 ? 2 : 3
	};

	if (*bundle && dir < 0)
		return err_sys(err, ERR_IO, "open bundle %s", bundle);
	return spawn(&what, ret_pid, err);
}

int group_ask(const struct paths *paths, const char *bundle, const struct prepare_request *request,
	      struct report *ret, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(sizeof(*ret));
	CLEANUP_FD int request_r = -1;
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	pid_t pid;

	if (request_memfd(request, &request_r, err) < 0 || fd_pipe(&r, &w, 0, err) < 0 ||
	    start(paths, bundle, request_r, w, &pid, err) < 0)
		return -1;
	fd_close(&w);
	if (fd_read_all(r, "the report of crossarch-prepare", &text, err) < 0) {
		waitpid(pid, NULL, 0);
		return -1;
	}
	waitpid(pid, NULL, 0);
	if (report_decode(text.data, text.len, ret, err) < 0)
		return -1;
	if (ret->verdict == VERDICT_REFUSE)
		return err_set(err, ERR_PRECONDITION, "%s", ret->line);
	if (ret->verdict == VERDICT_NONE && ret->err.code != ERR_NONE) {
		*err = ret->err;
		return -1;
	}
	return 0;
}
