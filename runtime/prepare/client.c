/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/client.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define REPORTS_MAX (64u << 10) /* bytes of all records of one answer */

int prepare_find(char ret[PATH_MAX], struct err *err)
{
	static const char *const below[] = { "", "/../libexec/crossarch" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return err_sys(err, ERR_IO, "read /proc/self/exe");
	self[n] = '\0';
	slash = strrchr(self, '/');
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
		       "crossarch-prepare is neither in %.200s nor in %s; reinstall crossarch",
		       self, CROSSARCH_LIBEXECDIR);
}

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

int prepare_ask(const char *path, const char *mode, const struct prepare_fds *fds,
		struct report *ret, struct err *err)
{
	struct prepare_fds all = *fds;
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;
	pid_t pid;

	if (fd_pipe(&in, &out, 0, err) < 0)
		return -1;
	all.report = out;
	if (start_prepare(path, mode, &all, &pid, err) < 0)
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
