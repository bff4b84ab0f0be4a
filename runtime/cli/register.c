/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/register.h"

#include <elf.h>
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

/* --- the line ------------------------------------------------------------------------------ */

#define MACHINE_END 20 /* behind e_machine */
#define FLAGS_32 36    /* e_flags of a 32-bit header */
#define HEADER_32 40   /* behind it */

/* True when e_flags is all that tells @a from an architecture with another emulator. */
static bool flags_decide(const struct arch *a)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	for (size_t i = 0; i < n; i++)
		if (rows[i].machine == a->machine && rows[i].cls == a->cls &&
		    rows[i].order == a->order && rows[i].qemu && !str_eq(rows[i].qemu, a->qemu))
			return true;
	return false;
}

/* Fills magic and mask; returns their length. */
static size_t pattern(const struct arch *a, uint8_t *magic, uint8_t *mask)
{
	bool big = a->order == ELFDATA2MSB;

	arch_header(a, magic);
	memset(mask, 0, ARCH_HEADER);
	memset(mask, 0xff, EI_OSABI);
	memset(mask + EI_NIDENT, 0xff, MACHINE_END - EI_NIDENT);
	mask[EI_NIDENT + (big ? 1 : 0)] = 0xfe; /* ET_EXEC is 2, ET_DYN 3 */
	if (a->cls != ELFCLASS32 || !flags_decide(a))
		return MACHINE_END;
	for (unsigned int i = 0; i < 4; i++)
		mask[FLAGS_32 + i] = (uint8_t)(a->flags_mask >> (big ? 24 - 8 * i : 8 * i));
	memset(magic + MACHINE_END, 0, FLAGS_32 - MACHINE_END);
	return HEADER_32;
}

static int put_bytes(struct buf *b, const uint8_t *bytes, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (buf_printf(b, err, "\\x%02x", bytes[i]) < 0)
			return -1;
	return buf_printf(b, err, ":");
}

int register_line(const struct arch *a, const char *name, const char *interpreter,
		  const char *flags, char ret[REGISTER_MAX + 1], struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(REGISTER_MAX);
	uint8_t magic[ARCH_HEADER], mask[ARCH_HEADER];
	size_t n = pattern(a, magic, mask);

	if (strpbrk(interpreter, ":\n"))
		return err_set(err, ERR_INVALID, "a colon in the path %s cannot be registered",
			       interpreter);
	if (buf_printf(&b, err, ":%s:M::", name) < 0 || put_bytes(&b, magic, n, err) < 0 ||
	    put_bytes(&b, mask, n, err) < 0 || buf_printf(&b, err, "%s:%s", interpreter, flags) < 0)
		return err_in(err, "line for binfmt_misc");
	memcpy(ret, buf_str(&b), b.len + 1);
	return 0;
}

/* --- the table ----------------------------------------------------------------------------- */

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

/* --- the mount ----------------------------------------------------------------------------- */

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
