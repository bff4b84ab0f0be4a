/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/idmap.h"
#include "runtime/prepare/mount_loop.h"
#include "runtime/prepare/mount_mapped.h"
#include "runtime/prepare/mount_overlay.h"

/* Flags that belong to a mount and not to the file system: a bind mount needs a second call. */
#define PER_MOUNT \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)

/* A place to mount on, held by descriptor so that nobody can exchange it for a link. */
struct place {
	int fd;
	char path[32]; /* /proc/self/fd/N */
};

#define PLACE_INIT        \
	{                 \
		.fd = -1, \
	}

static void place_close(struct place *p)
{
	fd_close(&p->fd);
}
#define CLEANUP_PLACE CLEANUP(place_close)

/* Opens the top of what is mounted at @target below the root file system. */
static int place_open(int dirfd, const char *name, const char *target, struct place *ret,
		      struct err *err)
{
	CLEANUP_FD int root = fd_openat2(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, 0);

	place_close(ret);
	if (root < 0)
		return err_sys(err, ERR_IO, "open %s", name);
	ret->fd = target && *target ? fd_openat2(root, target, O_PATH, 0,
						 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
				    : fd_steal(&root);
	if (ret->fd < 0)
		return err_sys(err, ERR_IO, "open mount target %.200s", target);
	(void)str_fmt(ret->path, sizeof(ret->path), "/proc/self/fd/%d", ret->fd);
	return 0;
}

static int mount_plain(const struct prepare_mount *m, const struct mount_options *o,
		       const char *target, struct err *err)
{
	const char *data = o->data.len ? buf_str(&o->data) : NULL;
	CLEANUP_FD int loop = -1;
	char device[32];
	const char *source = m->source;

	if (o->loop) {
		if (loop_attach(m->source, o, device, sizeof(device), &loop, err) < 0)
			return -1;
		source = device;
	}
	if (o->data.len >= (size_t)sysconf(_SC_PAGESIZE))
		return err_set(err, ERR_LIMIT, "%s: options of %zu bytes are too long", m->type,
			       o->data.len);
	if (mount(source, target, m->type, o->flags, data) < 0)
		return err_sys(err, ERR_IO, "%s of %.200s", m->type, source);
	return 0;
}

/* Those of PER_MOUNT that what is mounted at @path has. */
static unsigned long flags_of(const char *path)
{
	static const struct {
		unsigned long st, ms;
	} flags[] = {
		{ ST_RDONLY, MS_RDONLY },     { ST_NOSUID, MS_NOSUID },
		{ ST_NODEV, MS_NODEV },	      { ST_NOEXEC, MS_NOEXEC },
		{ ST_NOATIME, MS_NOATIME },   { ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME },
	};
	unsigned long ret = 0;
	struct statvfs vfs;

	if (statvfs(path, &vfs) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		ret |= vfs.f_flag & flags[i].st ? flags[i].ms : 0;
	return ret;
}

/*
 * The remount of a bind sets all flags anew. In a user namespace those that came with the source
 * are locked and have to stay (mount_namespaces(7)): EPERM without them.
 */
static int remount_bind(const char *path, unsigned long flags)
{
	if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags, NULL) == 0)
		return 0;
	if (errno != EPERM)
		return -1;
	return mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | flags | flags_of(path), NULL);
}

/* What mount(2) does not do in the call that mounts. */
static int finish(const struct mount_options *o, const char *path, struct err *err)
{
	unsigned long flags = o->flags & PER_MOUNT;

	if ((o->flags & MS_BIND) && flags && remount_bind(path, flags) < 0)
		return err_sys(err, ERR_IO, "remount with flags 0x%lx", flags);
	if (o->propagation && mount(NULL, path, NULL, o->propagation, NULL) < 0)
		return err_sys(err, ERR_IO, "set propagation 0x%lx", o->propagation);
	return 0;
}

static bool is_fuse(const char *type)
{
	return str_eq(type, "fuse") || str_after(type, "fuse.") || str_after(type, "fuse3.");
}

/* Puts a mapped copy of what is mounted there on top of it. */
static int map_place(const struct place *p, int namespace, struct err *err)
{
	CLEANUP_FD int tree = -1;

	if (idmap_tree(p->path, true, namespace, &tree, err) < 0)
		return -1;
	if (move_mount(tree, "", p->fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, ERR_IO, "attach mapped mount");
	return 0;
}

static int mount_at(int dirfd, const char *target, const struct prepare_mount *m,
		    const struct mount_options *o, int namespace, struct err *err)
{
	if (!str_eq(m->type, "overlay"))
		return mount_plain(m, o, target, err);
	return namespace < 0 ? mount_overlay(target, o, err)
			     : mount_overlay_mapped(dirfd, target, o, namespace, err);
}

/* The namespace whose maps the options ask for, or none. */
static int open_namespace(const struct mount_options *o, int *ret_fd, struct err *err)
{
	if (!o->uidmap && !o->gidmap)
		return 0;
	if (!o->uidmap || !o->gidmap)
		return err_set(err, ERR_INVALID, "uidmap and gidmap must come together");
	return idmap_namespace(o->uidmap, o->gidmap, ret_fd, err);
}

static int mount_one(int dirfd, const char *name, const struct prepare_mount *m, struct err *err)
{
	CLEANUP_MOUNT_OPTIONS struct mount_options o = { .flags = 0 };
	CLEANUP_PLACE struct place place = PLACE_INIT;
	CLEANUP_FD int namespace = -1;

	if (is_fuse(m->type))
		return err_set(
			err, ERR_UNSUPPORTED,
			"type %.60s needs a helper program, which this runtime does not start",
			m->type);
	if (mount_options_parse((const char *const *)m->options, &o, err) < 0 ||
	    open_namespace(&o, &namespace, err) < 0 ||
	    place_open(dirfd, name, m->target, &place, err) < 0 ||
	    mount_at(dirfd, place.path, m, &o, namespace, err) < 0)
		return -1;
	/* The place is now below the new mount: look again from above. */
	if (place_open(dirfd, name, m->target, &place, err) < 0)
		return -1;
	if (finish(&o, place.path, err) < 0 || (namespace >= 0 && !str_eq(m->type, "overlay") &&
						map_place(&place, namespace, err) < 0)) {
		(void)umount2(place.path, MNT_DETACH);
		return -1;
	}
	return 0;
}

static void undo(int dirfd, const char *name, const struct prepare_mount *mounts, size_t n)
{
	while (n--) {
		CLEANUP_PLACE struct place place = PLACE_INIT;
		struct err ignored;

		if (place_open(dirfd, name, mounts[n].target, &place, &ignored) == 0)
			(void)umount2(place.path, MNT_DETACH);
	}
}

int mount_all(int dirfd, const char *name, const struct prepare_mount *mounts, size_t n,
	      struct err *err)
{
	if (mkdirat(dirfd, name, 0711) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "create %s", name);
	for (size_t i = 0; i < n; i++)
		if (mount_one(dirfd, name, &mounts[i], err) < 0) {
			undo(dirfd, name, mounts, i);
			return -1;
		}
	return 0;
}
