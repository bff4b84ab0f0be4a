/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/mount.h"
#include "runtime/prepare/mount_options.h"

/* The group runs in mount (and, without privilege, user) namespaces of its own, on a tmpfs. */
static int bundle = -1;

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool enter_namespaces(void)
{
	char map[64];
	unsigned int uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWNS) == 0)
		return mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !put("/proc/self/setgroups", "deny"))
		return false;
	(void)str_fmt(map, sizeof(map), "0 %u 1", uid);
	if (!put("/proc/self/uid_map", map))
		return false;
	(void)str_fmt(map, sizeof(map), "0 %u 1", gid);
	return put("/proc/self/gid_map", map);
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	if (!enter_namespaces() || mount("t", "/mnt", "tmpfs", 0, NULL) < 0)
		return 0;
	if (dir_make("/mnt/b", 0755, &err) < 0 || dir_make("/mnt/src/sub", 0755, &err) < 0)
		return -1;
	(void)!symlink("/../../etc", "/mnt/src/out");
	bundle = open("/mnt/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

#define NEEDS_NAMESPACES        \
	do {                    \
		if (bundle < 0) \
			skip(); \
	} while (0)

static struct mount_options parse(const char *const *words)
{
	struct mount_options o;
	struct err err;

	assert_int_equal(mount_options_parse(words, &o, &err), 0);
	return o;
}

static void words(void **state)
{
	static const char *const list[] = { "rbind",  "ro",	   "nosuid",   "rprivate",
					    "noexec", "exec",	   "size=4k",  "direct-io",
					    "loop",   "index=off", "defaults", NULL };
	CLEANUP_MOUNT_OPTIONS struct mount_options o = parse(list);

	(void)state;
	assert_int_equal(o.flags, MS_BIND | MS_REC | MS_RDONLY | MS_NOSUID);
	assert_int_equal(o.propagation, MS_PRIVATE | MS_REC);
	assert_true(o.loop);
	assert_true(o.direct_io);
	assert_string_equal(buf_str(&o.data), "size=4k,index=off");
}

/* Without a loop device it is the file system's. */
static void direct_io(void **state)
{
	static const char *const list[] = { "direct-io", "ro", NULL };
	CLEANUP_MOUNT_OPTIONS struct mount_options o = parse(list);

	(void)state;
	assert_string_equal(buf_str(&o.data), "direct-io");
}

/* Nobody did what it asks for. */
static void left_by_containerd(void **state)
{
	static const char *const list[] = { "ro", "X-containerd.mkdir.path=/x", NULL };
	struct mount_options o;
	struct err err;

	(void)state;
	assert_int_equal(mount_options_parse(list, &o, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.text, "X-containerd.mkdir.path"));
}

static void maps(void **state)
{
	static const char *const list[] = { "uidmap=0:1000:1", "gidmap=0:5:1", NULL };
	CLEANUP_MOUNT_OPTIONS struct mount_options o = parse(list);

	(void)state;
	assert_string_equal(o.uidmap, "0:1000:1");
	assert_string_equal(o.gidmap, "0:5:1");
	assert_int_equal(o.data.len, 0);
}

static int mount_list(struct prepare_mount *list, size_t n, struct err *err)
{
	return mount_all(bundle, "rootfs", list, n, err);
}

static int mounts_below_bundle(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	struct err err;
	int n = 0;

	assert_int_equal(file_read(AT_FDCWD, "/proc/self/mountinfo", &text, &err), 0);
	for (const char *p = buf_str(&text); (p = strstr(p, " /mnt/b/rootfs")); p++)
		n++;
	return n;
}

static void clean(void)
{
	while (umount2("/mnt/b/rootfs", MNT_DETACH) == 0)
		;
	assert_int_equal(mounts_below_bundle(), 0);
}

static void bind_read_only(void **state)
{
	const char *options[] = { "rbind", "ro", "nosuid", NULL };
	struct prepare_mount m = { "bind", "/mnt/src", "", options };
	struct statvfs vfs;
	struct err err;

	(void)state;
	NEEDS_NAMESPACES;
	assert_int_equal(mount_list(&m, 1, &err), 0);
	assert_int_equal(statvfs("/mnt/b/rootfs", &vfs), 0);
	assert_true(vfs.f_flag & ST_RDONLY);
	assert_true(vfs.f_flag & ST_NOSUID);
	clean();
}

static void below_the_root(void **state)
{
	const char *bind[] = { "bind", NULL }, *small[] = { "size=4k", "noexec", NULL };
	struct prepare_mount list[] = { { "bind", "/mnt/src", "", bind },
					{ "tmpfs", "t", "sub", small } };
	struct statvfs vfs;
	struct err err;

	(void)state;
	NEEDS_NAMESPACES;
	assert_int_equal(mount_list(list, 2, &err), 0);
	assert_int_equal(statvfs("/mnt/b/rootfs/sub", &vfs), 0);
	assert_true(vfs.f_flag & ST_NOEXEC);
	assert_int_equal(mounts_below_bundle(), 2);
	clean();
}

static void all_or_nothing(void **state)
{
	const char *bind[] = { "bind", NULL };
	struct prepare_mount list[] = { { "bind", "/mnt/src", "", bind },
					{ "tmpfs", "t", "sub", bind + 1 },
					{ "no-such-type", "t", "", bind + 1 } };
	struct err err;

	(void)state;
	NEEDS_NAMESPACES;
	assert_int_equal(mount_list(list, 3, &err), -1);
	assert_int_equal(mounts_below_bundle(), 0);
	/* A link out of the root file system resolves inside it, where nothing is. */
	list[1].target = "out";
	assert_int_equal(mount_list(list, 2, &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(mounts_below_bundle(), 0);
}

static void fuse_is_refused(void **state)
{
	const char *none[] = { NULL };
	struct prepare_mount m = { "fuse3.sshfs", "x", "", none };
	struct err err;

	(void)state;
	NEEDS_NAMESPACES;
	assert_int_equal(mount_list(&m, 1, &err), -1);
	assert_int_equal(err.code, ERR_UNSUPPORTED);
}

/* An overlay of @n layers, directories @parent/I@tail; the last one holds the file "seen". */
static void overlay_of(size_t n, const char *parent, const char *tail)
{
	CLEANUP_BUF struct buf lower = BUF_INIT(1u << 20);
	const char *options[] = { "index=off", NULL, "xino=off", NULL };
	struct prepare_mount m = { "overlay", "overlay", "", options };
	char path[256];
	struct err err;

	assert_int_equal(buf_printf(&lower, &err, "lowerdir="), 0);
	for (size_t i = 0; i < n; i++) {
		(void)str_fmt(path, sizeof(path), "%s/%zu%s", parent, i, tail);
		assert_int_equal(dir_make(path, 0755, &err), 0);
		assert_int_equal(buf_printf(&lower, &err, "%s%s", i ? ":" : "", path), 0);
	}
	assert_int_equal(close(openat(AT_FDCWD, strcat(path, "/seen"), O_CREAT | O_WRONLY, 0600)),
			 0);
	options[1] = buf_str(&lower);
	if (mount_list(&m, 1, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(access("/mnt/b/rootfs/seen", F_OK), 0);
	clean();
}

static void short_overlay(void **state)
{
	(void)state;
	NEEDS_NAMESPACES;
	overlay_of(3, "/mnt/few", "/fs");
}

/* 200 * 40 bytes are more than a page; as names relative to their parent they are not. */
static void long_overlay(void **state)
{
	(void)state;
	NEEDS_NAMESPACES;
	overlay_of(200, "/mnt/snapshots-with-a-long-name", "/fs");
	assert_int_equal(chdir("/"), 0);
}

/* Relative names may be too long as well: then the layers go one by one. */
static void longer_overlay(void **state)
{
	int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	(void)state;
	NEEDS_NAMESPACES;
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", "/mnt", 0) < 0)
		skip(); /* Linux before 6.8 */
	close(fs);
	overlay_of(300, "/mnt/layers", "/a-name-that-stays-long/fs");
}

static uid_t owner(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_uid;
}

/* Only with privilege over the file system: in a user namespace of our own there is none to map. */
static void mapped_ids(void **state)
{
	const char *overlay[] = { "lowerdir=/mnt/one:/mnt/two", "upperdir=/mnt/up",
				  "workdir=/mnt/work",		"uidmap=0:100000:65536",
				  "gidmap=0:100000:65536",	NULL };
	const char *bind[] = { "rbind", "ro", "uidmap=0:100000:65536", "gidmap=0:100000:65536",
			       NULL };
	const char *half[] = { "bind", "uidmap=0:1:1", NULL };
	const char *bad[] = { "bind", "uidmap=x", "gidmap=0:0:1", NULL };
	struct prepare_mount m = { "overlay", "overlay", "", overlay };
	struct err err;

	(void)state;
	NEEDS_NAMESPACES;
	if (access("/proc/sys/kernel/ns_last_pid", W_OK) < 0 || getuid() != 0)
		skip();
	assert_int_equal(dir_make("/mnt/one/a", 0755, &err), 0);
	assert_int_equal(dir_make("/mnt/two/b", 0755, &err), 0);
	assert_int_equal(dir_make("/mnt/up", 0755, &err), 0);
	assert_int_equal(dir_make("/mnt/work", 0755, &err), 0);
	if (mount_list(&m, 1, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(owner("/mnt/b/rootfs/a"), 100000);
	assert_int_equal(owner("/mnt/b/rootfs/b"), 100000);
	clean();
	assert_int_equal(access("/mnt/b/.crossarch-layers", F_OK), -1);
	m = (struct prepare_mount){ "bind", "/mnt/src", "", bind };
	if (mount_list(&m, 1, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(owner("/mnt/b/rootfs/sub"), 100000);
	clean();
	m.options = half;
	assert_int_equal(mount_list(&m, 1, &err), -1);
	m.options = bad;
	assert_int_equal(mount_list(&m, 1, &err), -1);
	assert_int_equal(mounts_below_bundle(), 0);
}

/* In a user namespace below ours: 0 good, 1 there is none, else what went wrong. */
static int bind_locked(const char *source)
{
	const char *options[] = { "rbind", "ro", NULL };
	struct prepare_mount m = { "bind", source, "", options };
	struct statvfs vfs;
	struct err err;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !put("/proc/self/setgroups", "deny") ||
	    !put("/proc/self/uid_map", "0 0 1") || !put("/proc/self/gid_map", "0 0 1"))
		return 1;
	bundle = open("/mnt/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount_list(&m, 1, &err) < 0)
		return 2;
	if (statvfs("/mnt/b/rootfs", &vfs) < 0 || !(vfs.f_flag & ST_RDONLY))
		return 3;
	return vfs.f_flag & ST_NOSUID ? 0 : 4;
}

/* What came from outside of a user namespace keeps its flags when it becomes read-only. */
static void locked_flags(void **state)
{
	struct err err;
	int status;
	pid_t pid;

	(void)state;
	NEEDS_NAMESPACES;
	assert_int_equal(dir_make("/mnt/locked", 0755, &err), 0);
	assert_int_equal(mount("t", "/mnt/locked", "tmpfs", MS_NOSUID | MS_NODEV, NULL), 0);
	pid = fork();
	if (!pid)
		_exit(bind_locked("/mnt/locked"));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(umount("/mnt/locked"), 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(direct_io),
		cmocka_unit_test(left_by_containerd),
		cmocka_unit_test(maps),
		cmocka_unit_test(bind_read_only),
		cmocka_unit_test(below_the_root),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(fuse_is_refused),
		cmocka_unit_test(short_overlay),
		cmocka_unit_test(long_overlay),
		cmocka_unit_test(longer_overlay),
		cmocka_unit_test(mapped_ids),
		cmocka_unit_test(locked_flags),
	};

	return cmocka_run_group_tests_name("mount", tests, set_up, NULL);
}
