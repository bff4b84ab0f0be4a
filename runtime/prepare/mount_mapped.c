/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/mount_mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/prepare/idmap.h"
#include "runtime/prepare/mount_overlay.h"
#include "runtime/prepare/report.h"

struct layers {
	int parent, dir; /* LAYERS_DIR is in parent, and open as dir */
	size_t n;	 /* directories made in it: 0 to n - 1 */
};

static int add_layer(struct layers *l, const char *path, int namespace, struct err *err)
{
	CLEANUP_FD int tree = -1;
	char name[16];

	(void)str_fmt(name, sizeof(name), "%zu", l->n);
	if (mkdirat(l->dir, name, 0700) < 0)
		return err_sys(err, ERR_IO, "create a place for a layer");
	l->n++;
	if (idmap_tree(path, false, namespace, &tree, err) < 0)
		return -1;
	if (move_mount(tree, "", l->dir, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, ERR_IO, "attach a mapped layer");
	return 0;
}

/* The overlay holds its layers by itself: their own mounts may go. */
static void layers_deinit(struct layers *l)
{
	char path[64], name[16];

	while (l->n--) {
		(void)str_fmt(name, sizeof(name), "%zu", l->n);
		(void)str_fmt(path, sizeof(path), "/proc/self/fd/%d/%s", l->dir, name);
		(void)umount2(path, MNT_DETACH);
		(void)unlinkat(l->dir, name, AT_REMOVEDIR);
	}
	if (l->dir >= 0)
		(void)unlinkat(l->parent, LAYERS_DIR, AT_REMOVEDIR);
	fd_close(&l->dir);
}
#define CLEANUP_LAYERS CLEANUP(layers_deinit)

static int open_layers(struct layers *l, struct err *err)
{
	if (mkdirat(l->parent, LAYERS_DIR, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "create " LAYERS_DIR);
	l->dir = openat(l->parent, LAYERS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return l->dir < 0 ? err_sys(err, ERR_IO, "open " LAYERS_DIR) : 0;
}

/* Mounts every layer of @lower, and adds its new name to @names. */
static int add_layers(struct layers *l, const char *lower, size_t n, int namespace,
		      struct buf *names, struct err *err)
{
	char path[PATH_MAX];

	for (size_t at = 0; at < n;) {
		size_t len = overlay_item(lower + at, n - at, ':');

		if (!str_fmt(path, sizeof(path), "%.*s", (int)len, lower + at))
			return err_set(err, ERR_LIMIT, "name of a layer is too long");
		if (buf_printf(names, err, "%s%zu", l->n ? ":" : "", l->n) < 0 ||
		    add_layer(l, path, namespace, err) < 0)
			return -1;
		at += len + 1;
	}
	return 0;
}

int mount_overlay_mapped(int dirfd, const char *target, const struct mount_options *o,
			 int namespace, struct err *err)
{
	CLEANUP_LAYERS struct layers layers = { .parent = dirfd, .dir = -1 };
	CLEANUP_BUF struct buf data = BUF_INIT(o->data.max);
	const char *all = buf_str(&o->data);
	size_t n = 0;
	const char *lower = overlay_lower(all, &n);

	if (!lower)
		return err_set(err, ERR_INVALID, "overlay without lowerdir");
	if (open_layers(&layers, err) < 0 || buf_add(&data, all, (size_t)(lower - all), err) < 0 ||
	    add_layers(&layers, lower, n, namespace, &data, err) < 0 ||
	    buf_printf(&data, err, "%s", lower + n) < 0)
		return -1;
	/* The names of the layers are relative to where they are. */
	if (fchdir(layers.dir) < 0 ||
	    mount("overlay", target, "overlay", o->flags, buf_str(&data)) < 0) {
		err_sys(err, ERR_IO, "overlay of mapped layers");
		(void)!chdir("/");
		return -1;
	}
	return chdir("/") < 0 ? err_sys(err, ERR_IO, "leave " LAYERS_DIR) : 0;
}
