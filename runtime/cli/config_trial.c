/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_imports.h"
#include "runtime/cli/config_made.h"

#define SUFFIX ".crossarch-new"

/* Everything that is made for one trial; "" where it is not needed. */
struct trial {
	const struct containerd *containerd;
	const struct config_place *place;
	char main[PATH_MAX]; /* what containerd is told to load */
	char made[PATH_MAX];
	char dir[PATH_MAX];
};

mode_t config_mode(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0644;
}

static int write_file(const char *path, const char *like, const char *text, struct err *err)
{
	return file_replace(AT_FDCWD, path, config_mode(like), text, strlen(text), err);
}

static int read_text(const char *path, struct buf *ret, struct err *err)
{
	return file_read(AT_FDCWD, path, ret, err) < 0 && err->code != ERR_NOT_FOUND ? -1 : 0;
}

static int too_long(const char *path, struct err *err)
{
	return err_set(err, ERR_LIMIT, "the path %s is too long", path);
}

/* Beside the main file, for imports that are relative to it. */
static int write_main(struct trial *t, const char *text, struct err *err)
{
	const char *path = t->containerd->config;

	if (!str_fmt(t->main, sizeof(t->main), "%s" SUFFIX, path))
		return too_long(path, err);
	return write_file(t->main, path, text, err);
}

/* A copy of the main file that imports @with in the place of @import, a part of its text. */
static int write_main_importing(struct trial *t, const char *text, const struct config_import *i,
				const char *with, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(2u << 20);

	if (buf_printf(&b, err, "%.*s%s%s", (int)(i->text - text), text, with, i->text + i->n) < 0)
		return -1;
	return write_main(t, buf_str(&b), err);
}

/* --- a drop-in ------------------------------------------------------------------------------- */

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* The other files of the directory @from, under their own names. */
static int link_others(struct trial *t, const char *from, struct err *err)
{
	DIR *d = opendir(from);
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(err, ERR_IO, "read %s", from);
	for (struct dirent *e = readdir(d); e && rc == 0; e = readdir(d)) {
		char there[PATH_MAX], here[PATH_MAX];

		if (*e->d_name == '.' || str_eq(e->d_name, name_of(t->place->path)))
			continue;
		if (!str_fmt(there, sizeof(there), "%s/%s", from, e->d_name) ||
		    !str_fmt(here, sizeof(here), "%s/%s", t->dir, e->d_name))
			rc = too_long(from, err);
		else if (symlink(there, here) < 0)
			rc = err_sys(err, ERR_IO, "link %s", here);
	}
	closedir(d);
	return rc;
}

static int write_drop_in(struct trial *t, const char *text, struct err *err)
{
	char path[PATH_MAX];

	if (!*text)
		return 0;
	if (!str_fmt(path, sizeof(path), "%s/%s", t->dir, name_of(t->place->path)))
		return too_long(t->dir, err);
	return write_file(path, t->place->path, text, err);
}

static int prepare_drop_in(struct trial *t, const char *text, struct err *err)
{
	CLEANUP_BUF struct buf main = BUF_INIT(1u << 20);
	char from[PATH_MAX], pattern[PATH_MAX];
	struct config_import import;

	if (read_text(t->containerd->config, &main, err) < 0)
		return -1;
	if (!config_import_directory(buf_str(&main), t->containerd->config, from, &import))
		return err_set(err, ERR_PRECONDITION, "%s does not import %s any more",
			       t->containerd->config, t->place->path);
	if (!str_fmt(t->dir, sizeof(t->dir), "%s" SUFFIX, from) ||
	    !str_fmt(pattern, sizeof(pattern), "%s/*.toml", t->dir))
		return too_long(from, err);
	if (dir_make(t->dir, 0700, err) < 0 || link_others(t, from, err) < 0 ||
	    write_drop_in(t, text, err) < 0)
		return -1;
	return write_main_importing(t, buf_str(&main), &import, pattern, err);
}

static void remove_directory(const char *dir)
{
	DIR *d = opendir(dir);

	if (!d)
		return;
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	(void)rmdir(dir);
}

/* --- what a distribution makes --------------------------------------------------------------- */

static int prepare_template(struct trial *t, const char *text, struct err *err)
{
	CLEANUP_BUF struct buf made = BUF_INIT(1u << 20);
	CLEANUP_BUF struct buf out = BUF_INIT(2u << 20);

	if (read_text(t->place->made, &made, err) < 0 ||
	    config_made(t->place, buf_str(&made), text, &out, err) < 0)
		return -1;
	return write_main(t, buf_str(&out), err);
}

/* The one of the imports that is @path; false without. */
static bool find_import(const char *main, const char *path, struct config_import *ret)
{
	struct config_import list[CONFIG_IMPORTS];
	size_t n = config_imports(main, list, CONFIG_IMPORTS);

	for (size_t i = 0; i < n; i++)
		if (list[i].n == strlen(path) && memcmp(list[i].text, path, list[i].n) == 0) {
			*ret = list[i];
			return true;
		}
	return false;
}

/* Before k0s ran for the first time there is only what it would merge. */
static int prepare_merged(struct trial *t, const char *text, struct err *err)
{
	CLEANUP_BUF struct buf main = BUF_INIT(1u << 20);
	CLEANUP_BUF struct buf made = BUF_INIT(1u << 20);
	CLEANUP_BUF struct buf out = BUF_INIT(2u << 20);
	const char *path = t->place->made;
	struct config_import import;

	if (read_text(t->containerd->config, &main, err) < 0 || read_text(path, &made, err) < 0 ||
	    config_made(t->place, buf_str(&made), text, &out, err) < 0)
		return -1;
	if (!find_import(buf_str(&main), path, &import))
		return write_main(t, buf_str(&out), err);
	if (!str_fmt(t->made, sizeof(t->made), "%s" SUFFIX, path))
		return too_long(path, err);
	if (write_file(t->made, path, buf_str(&out), err) < 0)
		return -1;
	return write_main_importing(t, buf_str(&main), &import, t->made, err);
}

/* --- the trial ------------------------------------------------------------------------------- */

static int prepare(struct trial *t, const char *text, struct err *err)
{
	char dir[PATH_MAX];
	const char *main = t->containerd->config;

	if (!str_fmt(dir, sizeof(dir), "%.*s", (int)(strrchr(main, '/') - main), main) ||
	    (access(dir, F_OK) < 0 && dir_make(dir, 0755, err) < 0))
		return -1;
	switch (t->place->kind) {
	case PLACE_DROP_IN:
		return prepare_drop_in(t, text, err);
	case PLACE_TEMPLATE:
		return prepare_template(t, text, err);
	case PLACE_MERGED:
		return prepare_merged(t, text, err);
	case PLACE_MAIN:
		break;
	}
	return write_main(t, text, err);
}

int config_trial(const struct containerd *c, const struct config_place *p, const char *text,
		 struct buf *ret, struct err *err)
{
	struct trial t = { .containerd = c, .place = p };
	int rc = prepare(&t, text, err);

	if (rc == 0)
		rc = containerd_dump_config(c, t.main, ret, err);
	if (*t.main)
		(void)unlink(t.main);
	if (*t.made)
		(void)unlink(t.made);
	if (*t.dir)
		remove_directory(t.dir);
	return rc;
}
