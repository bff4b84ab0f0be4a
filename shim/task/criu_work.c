/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/criu_work.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/str.h"

struct criu_work {
	char path[PATH_MAX];
	bool ours;
};

/*
 * Below the bundle's "work", which containerd makes on a disk and removes with the bundle; a bundle
 * itself lies in memory, and a log of criu can become large.
 */
static int make_own(const struct task *t, char ret[PATH_MAX], struct err *err)
{
	char work[PATH_MAX];
	bool fits = str_fmt(work, sizeof(work), "%s/work", t->bundle);

	fits = fits &&
	       str_fmt(ret, PATH_MAX, "%s/criu", access(work, F_OK) == 0 ? work : t->bundle);
	if (!fits)
		return err_set(err, ERR_INVALID, "bundle path too long");
	if (mkdir(ret, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "make %s for criu", ret);
	return 0;
}

static int choose(struct criu_work *w, const struct task *t, const char *wanted, struct err *err)
{
	w->ours = !wanted || !*wanted;
	if (w->ours)
		return make_own(t, w->path, err);
	if (!str_copy(w->path, sizeof(w->path), wanted))
		return err_set(err, ERR_INVALID, "the path of criu's work directory is too long");
	return 0;
}

int criu_work_begin(struct operation *op, const char *wanted, const char *log, const char **ret,
		    struct err *err)
{
	struct criu_work *w = malloc(sizeof(*w));

	if (!w)
		return err_set(err, ERR_NOMEM, "no memory for a path");
	op->data = w;
	op->free_data = free;
	if (choose(w, op->task, wanted, err) < 0)
		return -1;
	if (asprintf(&op->criu_log, "%s/%s", w->path, log) < 0) {
		op->criu_log = NULL;
		return err_set(err, ERR_NOMEM, "no memory for a path");
	}
	/* What an earlier one left is not to be taken for this one's; criu would overwrite it. */
	unlink(op->criu_log);
	*ret = w->path;
	return 0;
}

void criu_work_end(struct operation *op)
{
	static const char *const files[] = { "dump.log", "stats-dump", "restore.log",
					     "stats-restore" };
	const struct criu_work *w = op->data;
	char file[PATH_MAX];

	if (!w->ours)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (str_fmt(file, sizeof(file), "%s/%s", w->path, files[i]))
			unlink(file);
	rmdir(w->path);
}
