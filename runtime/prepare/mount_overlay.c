/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/mount_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define LOWER "lowerdir="

size_t overlay_item(const char *p, size_t n, char separator)
{
	size_t len = 0;

	while (len < n && p[len] != separator)
		len += p[len] == '\\' && len + 1 < n ? 2 : 1;
	return len;
}

const char *overlay_lower(const char *data, size_t *ret_n)
{
	for (const char *p = data; *p;) {
		size_t n = overlay_item(p, strlen(p), ',');

		if (str_after(p, LOWER)) {
			*ret_n = n - strlen(LOWER);
			return p + strlen(LOWER);
		}
		p += n + (p[n] == ',');
	}
	return NULL;
}

/* Length of the longest directory, with its slash, that all @n bytes of lower directories share. */
static size_t common_parent(const char *lower, size_t n)
{
	size_t common = overlay_item(lower, n, ':');

	for (size_t at = 0; at < n;) {
		size_t len = overlay_item(lower + at, n - at, ':'), same = 0;

		while (same < common && same < len && lower[same] == lower[at + same])
			same++;
		common = same;
		at += len + 1;
	}
	while (common && lower[common - 1] != '/')
		common--;
	return common;
}

/*
 * The same options with lower directories relative to @dir, which is filled. False when they have
 * no parent in common.
 */
static int shorten(const char *data, char *dir, size_t size, struct buf *out, bool *ret_done,
		   struct err *err)
{
	size_t n, common;
	const char *lower = overlay_lower(data, &n);

	*ret_done = false;
	common = lower ? common_parent(lower, n) : 0;
	if (common < 2 || !str_fmt(dir, size, "%.*s", (int)common, lower) || strchr(dir, '\\'))
		return 0;
	if (buf_add(out, data, (size_t)(lower - data), err) < 0)
		return -1;
	for (size_t at = 0; at < n;) {
		size_t len = overlay_item(lower + at, n - at, ':');

		if (len == common)
			return 0; /* the parent itself: it has no relative name */
		if (at && buf_add(out, ":", 1, err) < 0)
			return -1;
		if (buf_add(out, lower + at + common, len - common, err) < 0)
			return -1;
		at += len + 1;
	}
	*ret_done = true;
	return buf_add(out, lower + n, strlen(lower + n), err);
}

static int set_string(int fs, const char *key, const char *value, size_t n, struct err *err)
{
	char copy[PATH_MAX];

	if (!str_fmt(copy, sizeof(copy), "%.*s", (int)n, value))
		return err_set(err, ERR_LIMIT, "overlay option %s is too long", key);
	if (fsconfig(fs, FSCONFIG_SET_STRING, key, copy, 0) < 0)
		return err_sys(err, ERR_IO, "overlay option %s=%.200s", key, copy);
	return 0;
}

static int set_lower(int fs, const char *lower, size_t n, struct err *err)
{
	for (size_t at = 0; at < n;) {
		size_t len = overlay_item(lower + at, n - at, ':');

		if (set_string(fs, "lowerdir+", lower + at, len, err) < 0)
			return -1;
		at += len + 1;
	}
	return 0;
}

static int set_option(int fs, const char *option, size_t n, struct err *err)
{
	const char *equals = memchr(option, '=', n);
	size_t key_n = equals ? (size_t)(equals - option) : n;
	char key[64];

	if (!str_fmt(key, sizeof(key), "%.*s", (int)key_n, option))
		return err_set(err, ERR_INVALID, "overlay option %.60s", option);
	if (equals && str_eq(key, "lowerdir"))
		return set_lower(fs, equals + 1, n - key_n - 1, err);
	if (equals)
		return set_string(fs, key, equals + 1, n - key_n - 1, err);
	if (fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0) < 0)
		return err_sys(err, ERR_IO, "overlay option %s", key);
	return 0;
}

static unsigned int attributes(unsigned long flags)
{
	return (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0u) |
	       (flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0u) |
	       (flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0u) |
	       (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0u) |
	       (flags & MS_NOATIME ? MOUNT_ATTR_NOATIME : 0u);
}

/* One option at a time, each lower directory by itself: "lowerdir+" of Linux 6.8. */
static int mount_by_parts(const char *target, const struct mount_options *o, struct err *err)
{
	CLEANUP_FD int fs = fsopen("overlay", FSOPEN_CLOEXEC), tree = -1;

	if (fs < 0)
		return err_sys(err, ERR_IO, "open an overlay");
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0) < 0)
		return err_sys(err, ERR_IO, "name the overlay");
	for (const char *p = buf_str(&o->data); *p;) {
		size_t n = overlay_item(p, strlen(p), ',');

		if (set_option(fs, p, n, err) < 0)
			return -1;
		p += n + (p[n] == ',');
	}
	if ((o->flags & MS_RDONLY) && fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return err_sys(err, ERR_IO, "make the overlay read-only");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, ERR_IO, "create the overlay");
	tree = fsmount(fs, FSMOUNT_CLOEXEC, attributes(o->flags));
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, target,
				   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		return err_sys(err, ERR_IO, "attach the overlay");
	return 0;
}

int mount_overlay(const char *target, const struct mount_options *o, struct err *err)
{
	CLEANUP_BUF struct buf data = BUF_INIT(o->data.max);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char dir[PATH_MAX];
	bool shortened;

	if (o->data.len < page) {
		if (mount("overlay", target, "overlay", o->flags, buf_str(&o->data)) < 0)
			return err_sys(err, ERR_IO, "overlay");
		return 0;
	}
	if (shorten(buf_str(&o->data), dir, sizeof(dir), &data, &shortened, err) < 0)
		return -1;
	if (!shortened || data.len >= page)
		return mount_by_parts(target, o, err);
	/* We are one thread and need no working directory of our own. */
	if (chdir(dir) < 0)
		return err_sys(err, ERR_IO, "enter %.200s", dir);
	if (mount("overlay", target, "overlay", o->flags, buf_str(&data)) < 0) {
		err_sys(err, ERR_IO, "overlay");
		(void)!chdir("/");
		return -1;
	}
	return chdir("/") < 0 ? err_sys(err, ERR_IO, "leave %.200s", dir) : 0;
}
