/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_backup.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* Never over another one: of two within a second the first has what was there before us. */
static int backup_name(const char *path, char *ret, size_t size, struct err *err)
{
	struct tm tm;
	time_t now = time(NULL);
	char stamp[32];

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned int i = 0; i < 100; i++) {
		char number[16] = "";

		if (i)
			(void)str_fmt(number, sizeof(number), ".%u", i);
		if (!str_fmt(ret, size, "%s" CONFIG_BACKUP "%s%s", path, stamp, number))
			return err_set(err, ERR_LIMIT, "the path %s is too long", path);
		if (access(ret, F_OK) < 0)
			return 0;
	}
	return err_set(err, ERR_LIMIT, "too many backups of %s", path);
}

int config_backup_keep(const char *path, mode_t mode, const struct buf *text, char *ret,
		       size_t size, struct err *err)
{
	if (backup_name(path, ret, size, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, ret, mode, text->data, text->len, err);
}

int config_backup_best(const char *path, config_backup_judge *judge, const void *ctx, bool drop)
{
	char pattern[PATH_MAX];
	glob_t found;
	int best = 0;

	if (!str_fmt(pattern, sizeof(pattern), "%s" CONFIG_BACKUP "*", path) ||
	    glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		CLEANUP_BUF struct buf old = BUF_INIT(1u << 20);
		struct err ignored;
		int what;

		if (file_read(AT_FDCWD, found.gl_pathv[i], &old, &ignored) < 0)
			continue;
		what = judge(ctx, &old);
		best = what > best ? what : best;
		if (drop && what)
			(void)unlink(found.gl_pathv[i]);
	}
	globfree(&found);
	return best;
}

static int judge_equal(const void *ctx, const struct buf *old)
{
	return str_eq(buf_str(ctx), buf_str(old));
}

bool config_backup_drop(const char *path, const struct buf *text)
{
	return config_backup_best(path, judge_equal, text, true);
}
