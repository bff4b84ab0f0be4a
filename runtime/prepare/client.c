/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/client.h"

#include <errno.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"

#define REPORTS_MAX (64u << 10) /* bytes of all records of one answer */

size_t prepare_map(const struct prepare_fds *fds, struct spawn_fd map[PREPARE_FDS_MAX])
{
	const struct spawn_fd all[PREPARE_FDS_MAX] = {
		{ fds->log, STDERR_FILENO },	{ fds->report, FD_REPORT },
		{ fds->bundle, FD_BUNDLE },	{ fds->request, FD_REQUEST },
		{ fds->platform, FD_PLATFORM },
	};
	size_t n = 0;

	for (size_t i = 0; i < PREPARE_FDS_MAX; i++)
		if (all[i].from >= 0)
			map[n++] = all[i];
	return n;
}

static int start_prepare(const char *path, const char *mode, const struct prepare_fds *fds,
			 pid_t *ret_pid, struct err *err)
{
	char *const argv[] = { (char *)(uintptr_t)path, (char *)(uintptr_t)mode, NULL };
	struct spawn_fd map[PREPARE_FDS_MAX];
	const struct spawn what = { .path = path,
				    .argv = argv,
				    .fds = map,
				    .n_fds = prepare_map(fds, map),
				    .die_with_parent = true };

	return spawn(&what, ret_pid, err);
}

static int read_answer(int in, pid_t pid, struct report *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(REPORTS_MAX);
	int rc = fd_read_all(in, "the report of crossarch-prepare", &text, err), status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (rc < 0)
		return -1;
	if (!text.len)
		return err_set(err, ERR_IO,
			       "crossarch-prepare ended without a report (status 0x%x)", status);
	return report_decode_last(text.data, text.len, ret, err);
}

int prepare_ask(const char *path, const char *mode, struct prepare_fds *fds, struct report *ret,
		struct err *err)
{
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;
	pid_t pid;

	if (fd_pipe(&in, &out, 0, err) < 0)
		return -1;
	fds->report = out;
	if (start_prepare(path, mode, fds, &pid, err) < 0)
		return -1;
	fd_close(&out);
	return read_answer(in, pid, ret, err);
}

int prepare_settings(const char *path, const struct prepare_request *r, struct report *ret,
		     struct err *err)
{
	CLEANUP_FD int request = -1;
	struct prepare_fds fds = { .bundle = -1, .platform = -1, .log = -1 };

	if (request_memfd(r, &request, err) < 0)
		return -1;
	fds.request = request;
	if (prepare_ask(path, "settings", &fds, ret, err) < 0)
		return -1;
	if (ret->verdict == VERDICT_REFUSE)
		return err_set(err, ERR_PRECONDITION, "%s", ret->line);
	if (ret->verdict != VERDICT_NONE || ret->err.code == ERR_NONE)
		return 0;
	*err = ret->err;
	return -1;
}
