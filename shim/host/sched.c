/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/sched.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#define PR_SCHED_CORE_CREATE 1
#endif
/* The kernel's pid types, which no header of the C library has: here, the whole process group. */
#define SCOPE_PROCESS_GROUP 2

#define OOM_SCORE_ADJ "/proc/self/oom_score_adj"
#define OOM_SCORE_ADJ_MAX 1000

int sched_core_create(struct err *err)
{
	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, SCOPE_PROCESS_GROUP, 0) == 0)
		return 0;
	if (errno == EINVAL || errno == ENODEV)
		return err_set(err, ERR_UNSUPPORTED, "this host has no core scheduling");
	return err_sys(err, ERR_IO, "core scheduling");
}

static int read_score(int *ret, struct err *err)
{
	struct buf text = BUF_INIT(64);
	int r = file_read(AT_FDCWD, OOM_SCORE_ADJ, &text, err);

	*ret = atoi(buf_str(&text));
	buf_deinit(&text);
	return r;
}

int sched_oom_raise(struct err *err)
{
	CLEANUP_FD int fd = -1;
	char text[16];
	int score;

	if (read_score(&score, err) < 0)
		return -1;
	str_fmt(text, sizeof(text), "%d",
		score < OOM_SCORE_ADJ_MAX ? score + 1 : OOM_SCORE_ADJ_MAX);
	fd = open(OOM_SCORE_ADJ, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return 0;
	return err_sys(err, ERR_IO, "write " OOM_SCORE_ADJ);
}
