/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/node_emulation.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_backup.h"
#include "runtime/oci/json.h"
#include "runtime/prepare/configure.h"

#define KEY "emulation"
#define NEVER "never"

static int path_of(const char *dir, char *ret, size_t size, struct err *err)
{
	if (dir[0] == '/' && str_fmt(ret, size, "%s%s", dir, strrchr(SETTINGS_FILE, '/')))
		return 0;
	return err_set(err, ERR_INVALID, "%.100s is no directory for settings", dir);
}

static bool is_never(json *settings)
{
	json *value = json_member(settings, KEY);

	return json_object_is_type(value, json_type_string) &&
	       str_eq(json_object_get_string(value), NEVER);
}

/* What the file @old becomes; that was already so with *@ret_is. */
static int make(const char *path, const struct buf *old, struct buf *ret, bool *ret_is,
		struct err *err)
{
	CLEANUP_JSON json *settings = NULL;

	if (old->len && json_parse(buf_str(old), old->len, path, &settings, err) < 0)
		return -1;
	if (!old->len)
		settings = json_object_new_object();
	if (!json_object_is_type(settings, json_type_object))
		return err_set(err, ERR_INVALID, "%s is not a JSON object", path);
	*ret_is = is_never(settings);
	if (json_object_object_add(settings, KEY, json_object_new_string(NEVER)) < 0)
		return err_set(err, ERR_NOMEM, "no memory for settings");
	return buf_printf(ret, err, "%s\n",
			  json_object_to_json_string_ext(
				  settings, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int read_old(const char *path, struct buf *ret, struct err *err)
{
	return file_read(AT_FDCWD, path, ret, err) < 0 && err->code != ERR_NOT_FOUND ? -1 : 0;
}

int node_emulation_never(const char *dir, char *ret_path, size_t size, bool *ret_changed,
			 struct err *err)
{
	CLEANUP_BUF struct buf old = BUF_INIT(CONFIGURE_MAX);
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);
	char backup[PATH_MAX];
	bool is;

	*ret_changed = false;
	if (path_of(dir, ret_path, size, err) < 0 || read_old(ret_path, &old, err) < 0 ||
	    make(ret_path, &old, &text, &is, err) < 0)
		return -1;
	if (is)
		return 0;
	/* An empty one says that there was no file. */
	if (dir_make(dir, 0755, err) < 0 ||
	    config_backup_keep(ret_path, 0644, &old, backup, sizeof(backup), err) < 0 ||
	    file_replace(AT_FDCWD, ret_path, 0644, text.data, text.len, err) < 0)
		return -1;
	*ret_changed = true;
	return 0;
}

struct undoing {
	const char *path;
	const struct buf *now;
	struct buf *back; /* what it was before */
	bool *any, *found;
};

static int judge(const void *ctx, const struct buf *old)
{
	const struct undoing *u = ctx;
	CLEANUP_BUF struct buf made = BUF_INIT(CONFIGURE_MAX);
	struct err ignored;
	bool is;

	*u->any = true;
	if (*u->found || make(u->path, old, &made, &is, &ignored) < 0 || is ||
	    !str_eq(buf_str(&made), buf_str(u->now)) ||
	    buf_add(u->back, buf_str(old), old->len, &ignored) < 0)
		return 0;
	*u->found = true;
	return 1;
}

static int put_back(const char *dir, const char *path, const struct buf *back, struct err *err)
{
	if (back->len)
		return file_replace(AT_FDCWD, path, 0644, back->data, back->len, err);
	if (unlink(path) < 0)
		return err_sys(err, ERR_IO, "remove %s", path);
	/* It may have been made for this file alone. */
	(void)rmdir(dir);
	return 0;
}

int node_emulation_undo(const char *dir, char *ret_path, size_t size, bool *ret_changed,
			bool *ret_left, struct err *err)
{
	CLEANUP_BUF struct buf now = BUF_INIT(CONFIGURE_MAX);
	CLEANUP_BUF struct buf back = BUF_INIT(CONFIGURE_MAX);
	bool any = false, found = false;
	const struct undoing u = { ret_path, &now, &back, &any, &found };

	*ret_changed = *ret_left = false;
	if (path_of(dir, ret_path, size, err) < 0 || read_old(ret_path, &now, err) < 0)
		return -1;
	(void)config_backup_best(ret_path, judge, &u, true);
	*ret_left = any && !found;
	*ret_changed = found;
	return found ? put_back(dir, ret_path, &back, err) : 0;
}
