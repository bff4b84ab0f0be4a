/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_backup.h"

static int read_file(struct config_was *w, struct err *err)
{
	struct stat st;

	w->text = (struct buf)BUF_INIT(1u << 20);
	if (stat(w->path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : err_sys(err, ERR_IO, "look at %s", w->path);
	w->there = true;
	w->mode = st.st_mode & 07777;
	return file_read(AT_FDCWD, w->path, &w->text, err);
}

static bool is_remembered(const struct config_journal *j, const char *path)
{
	for (size_t i = 0; i < j->n; i++)
		if (str_eq(j->list[i]->path, path))
			return true;
	return false;
}

static int add_one(struct config_journal *j, const char *path, struct err *err)
{
	struct config_was *w = j->n < CONFIG_JOURNAL_MAX ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return err_set(err, ERR_LIMIT, "too many files are changed at once");
	j->list[j->n++] = w;
	if (!str_copy(w->path, sizeof(w->path), path))
		return err_set(err, ERR_LIMIT, "the path %s is too long", path);
	return read_file(w, err);
}

/* The backups of @path; globfree() is for the caller. */
static bool find_backups(const char *path, glob_t *ret)
{
	char pattern[PATH_MAX];

	return str_fmt(pattern, sizeof(pattern), "%s" CONFIG_BACKUP "*", path) &&
	       glob(pattern, 0, NULL, ret) == 0;
}

int config_journal_add(struct config_journal *j, const char *path, struct err *err)
{
	CLEANUP_FREE char *real = realpath(path, NULL); /* a link stays a link */
	glob_t found;
	int rc;

	path = real ? real : path;
	if (is_remembered(j, path))
		return 0;
	rc = add_one(j, path, err);
	if (rc < 0 || !find_backups(path, &found))
		return rc;
	for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
		rc = add_one(j, found.gl_pathv[i], err);
	globfree(&found);
	return rc;
}

static void remove_new_backups(const struct config_journal *j, const char *path)
{
	glob_t found;

	if (!find_backups(path, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!is_remembered(j, found.gl_pathv[i]))
			(void)unlink(found.gl_pathv[i]);
	globfree(&found);
}

static int put_back(const struct config_was *w, struct err *err)
{
	if (w->there)
		return file_replace(AT_FDCWD, w->path, w->mode, buf_str(&w->text), w->text.len,
				    err);
	if (unlink(w->path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(err, ERR_IO, "remove %s", w->path);
	return 0;
}

int config_journal_undo(const struct config_journal *j, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < j->n; i++) {
		remove_new_backups(j, j->list[i]->path);
		rc = put_back(j->list[i], err) < 0 ? -1 : rc;
	}
	return rc;
}

void config_journal_deinit(struct config_journal *j)
{
	for (size_t i = 0; i < j->n; i++) {
		buf_deinit(&j->list[i]->text);
		free(j->list[i]);
	}
	j->n = 0;
}
