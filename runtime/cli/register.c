/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/register.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/registry.h"

/* --- the table ------------------------------------------------------------------------------- */

static int write_to(int dirfd, const char *name, const char *text, struct err *err)
{
	CLEANUP_FD int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (n >= 0)
		return 0;
	if (errno == EEXIST)
		return err_set(err, ERR_EXISTS, "the kernel has a handler of that name");
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return err_sys(err, ERR_IO, "write binfmt_misc's %s (this needs root on the node)",
			       name);
	return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "write binfmt_misc's %s",
		       name);
}

int register_handler(int dirfd, const char *line, struct err *err)
{
	return write_to(dirfd, "register", line, err);
}

int unregister_handler(int dirfd, const char *name, bool *ret_removed, struct err *err)
{
	*ret_removed = faccessat(dirfd, name, F_OK, 0) == 0;
	return *ret_removed ? write_to(dirfd, name, "-1", err) : 0;
}

/* --- the mount ------------------------------------------------------------------------------- */

#define MOUNTED_ALREADY 255 /* no errno */

/* 0, MOUNTED_ALREADY or an errno. */
static int mount_here(void)
{
	struct statfs fs;

	if (statfs(BINFMT_DIR, &fs) == 0 && fs.f_type == BINFMTFS_MAGIC)
		return MOUNTED_ALREADY;
	if (mount("binfmt_misc", BINFMT_DIR, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) < 0)
		return errno;
	return 0;
}

/* True when both are the same namespace; false also when that cannot be told. */
static bool same_namespace(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/* In a child: a process does not come back from another mount namespace in one piece. */
static int mount_in_init(void)
{
	CLEANUP_FD int ns = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	pid_t pid = ns < 0 ? -1 : fork();
	int status;

	if (pid == 0)
		_exit(setns(ns, CLONE_NEWNS) < 0 ? errno : mount_here());
	if (pid < 0)
		return errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int binfmt_mount(bool *ret_mounted, struct err *err)
{
	bool here = !same_namespace("/proc/self/ns/user", "/proc/1/ns/user") ||
		    same_namespace("/proc/self/ns/mnt", "/proc/1/ns/mnt");
	int rc = here ? mount_here() : mount_in_init();

	*ret_mounted = rc == 0;
	if (rc == 0 || rc == MOUNTED_ALREADY)
		return 0;
	if (rc == ENODEV)
		return err_set(err, ERR_UNSUPPORTED,
			       "this kernel has no binfmt_misc: load the module (modprobe "
			       "binfmt_misc), or use a kernel with CONFIG_BINFMT_MISC");
	errno = rc;
	return err_sys(err, ERR_IO, "mount binfmt_misc on " BINFMT_DIR "%s",
		       rc == EPERM || rc == EACCES ? " (this needs root on the node)" : "");
}

/* --- at boot --------------------------------------------------------------------------------- */

#define FILE_MAX_BYTES (64u << 10)

/* update-binfmts keeps what it registers here. */
#define RECORDS_DIR "/var/lib/binfmts"

/* In the order of precedence: a file hides those of its name further down. */
static const char *const dirs[] = { BOOT_DIR, "/run/binfmt.d", "/usr/local/lib/binfmt.d",
				    "/usr/lib/binfmt.d" };

/* True when a line of @text registers @name: the name stands between the first two delimiters. */
static bool registers(const char *text, const char *name)
{
	size_t n = strlen(name), length;
	const char *line;

	while (str_line(&text, &line, &length)) {
		line += strspn(line, " \t");
		if (!strchr("#;\n", *line) && strncmp(line + 1, name, n) == 0 &&
		    line[n + 1] == *line)
			return true;
	}
	return false;
}

/* A file of the same name in a directory of higher precedence, perhaps a link to /dev/null. */
static bool is_hidden(size_t dir, const char *file)
{
	char path[512];

	for (size_t i = 0; i < dir; i++)
		if (str_fmt(path, sizeof(path), "%s/%s", dirs[i], file) &&
		    faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

static bool search_dir(size_t dir, const char *name, char *ret, size_t size)
{
	DIR *d = opendir(dirs[dir]);
	struct dirent *e;
	bool found = false;

	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
		struct err ignored;

		found = str_ends(e->d_name, ".conf") && !is_hidden(dir, e->d_name) &&
			file_read(dirfd(d), e->d_name, &text, &ignored) == 0 &&
			registers(buf_str(&text), name) &&
			str_fmt(ret, size, "%s/%s", dirs[dir], e->d_name);
	}
	closedir(d);
	return found;
}

void boot_file_of(const char *name, char *ret, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (search_dir(i, name, ret, size))
			return;
	if (!str_fmt(ret, size, RECORDS_DIR "/%s", name) || access(ret, F_OK) < 0)
		ret[0] = '\0';
}

bool boot_reader_is(enum boot_reader r)
{
	if (r == BOOT_BINFMT_SUPPORT)
		return access("/usr/sbin/update-binfmts", X_OK) == 0;
	return access("/usr/lib/systemd/systemd-binfmt", X_OK) == 0 ||
	       access("/lib/systemd/systemd-binfmt", X_OK) == 0;
}

bool boot_file_is_read(const char *file)
{
	return *file && boot_reader_is(str_after(file, RECORDS_DIR "/") ? BOOT_BINFMT_SUPPORT
									: BOOT_SYSTEMD);
}

void boot_file_own(const char *name, char *ret, size_t size)
{
	(void)str_fmt(ret, size, BOOT_DIR "/%s.conf", name);
}

int boot_file_write(const char *name, const char *line, bool *ret_changed, struct err *err)
{
	CLEANUP_BUF struct buf old = BUF_INIT(FILE_MAX_BYTES);
	CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
	struct err ignored;
	char path[256];

	boot_file_own(name, path, sizeof(path));
	if (buf_printf(&text, err,
		       "# Written by \"crossarch emulators install\"; \"crossarch emulators "
		       "remove\" takes it away.\n%s\n",
		       line) < 0)
		return -1;
	*ret_changed = file_read(AT_FDCWD, path, &old, &ignored) < 0 ||
		       !str_eq(buf_str(&old), buf_str(&text));
	if (!*ret_changed)
		return 0;
	if (dir_make(BOOT_DIR, 0755, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, path, 0644, text.data, text.len, err);
}

int boot_file_remove(const char *name, bool *ret_removed, struct err *err)
{
	char path[256];

	boot_file_own(name, path, sizeof(path));
	*ret_removed = unlink(path) == 0;
	if (!*ret_removed && errno != ENOENT)
		return err_sys(err, ERR_IO, "remove %s", path);
	return 0;
}
