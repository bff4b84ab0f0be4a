/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "runtime/base/fd.h"
#include "tests/verdicts/trees/trees.h"

/*
 * What prepare may open apart from the bundle and what is in it: facts about the node, and the
 * handlers of binfmt_misc. A name that ends in a slash stands for everything below.
 */
#define HANDLERS "/proc/sys/fs/binfmt_misc"
static const char *const allowed[] = {
	"/proc/sys/fs/binfmt_misc", "/proc/sys/fs/binfmt_misc/", "/proc/self/", "/proc/cpuinfo",
	"/etc/crossarch/",	    "/usr/local/etc/crossarch/", "/dev/null",
};

/* An interpreter that a handler names now: tests beside this one register theirs. */
static bool is_interpreter(const char *path)
{
	static const char *const usual[] = { "/usr/bin/qemu-", "/usr/libexec/qemu-binfmt/" };
	DIR *dir = opendir(HANDLERS);
	struct dirent *d;
	bool found = str_after(path, usual[0]) || str_after(path, usual[1]);

	while (dir && !found && (d = readdir(dir))) {
		CLEANUP_BUF struct buf text = BUF_INIT(8192);
		char name[PATH_MAX], real[PATH_MAX];
		const char *line;
		struct err err;

		if (file_read(dirfd(dir), d->d_name, &text, &err) < 0)
			continue;
		line = strstr(buf_str(&text), "\ninterpreter ");
		found = line && sscanf(line, " interpreter %4095s", name) == 1 &&
			realpath(name, real) && str_eq(real, path);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The bundle's directory and what is meant for prepare in it: not `secret` beside the root. */
static bool in_bundle(const char *path, const struct tree *t)
{
	static const char *const parts[] = { "/rootfs/", "/volumes/", "/config.json/",
					     "/crossarch.settings/", "/#" };
	const char *rest = str_after(path, t->path);
	char part[PATH_MAX + 2];

	if (!rest || !*rest)
		return rest != NULL;
	(void)str_fmt(part, sizeof(part), "%s/", rest);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (str_after(part, parts[i]))
			return true;
	return false;
}

static bool is_process(const char *path, int pid)
{
	char proc[32];

	(void)str_fmt(proc, sizeof(proc), "/proc/%d/", pid);
	return str_after(path, proc) != NULL;
}

static bool is_allowed(const char *path, int pid, const struct tree *t)
{
	if (in_bundle(path, t) || str_ends(path, "/runc") || str_ends(path, "/crun"))
		return true;
	/* Anonymous: pipes, memory files, Landlock's rule sets. */
	if (path[0] != '/' || str_after(path, "/memfd:"))
		return true;
	if (is_process(path, pid) || is_process(path, t->init))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		const char *rest = str_after(path, allowed[i]);

		if (rest && (!*rest || str_ends(allowed[i], "/")))
			return true;
	}
	return is_interpreter(path);
}

/* Where the new descriptor leads, by the kernel's own word. */
static void check_opened(int pid, int64_t fd, const struct tree *t, struct outcome *ret)
{
	char link[64], path[PATH_MAX];
	struct statfs fs;
	ssize_t n;

	(void)str_fmt(link, sizeof(link), "/proc/%d/fd/%d", pid, (int)fd);
	/* Where binfmt_misc is not mounted, prepare has a mount of its own, nameless. */
	if (statfs(link, &fs) == 0 && fs.f_type == BINFMTFS_MAGIC)
		return;
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return;
	path[n] = '\0';
	ret->opened++;
	if (!ret->outside[0] && !is_allowed(path, pid, t))
		(void)str_fmt(ret->outside, sizeof(ret->outside), "opened %s", path);
	if (getenv("TREES_VERBOSE"))
		printf("#   %s\n", path);
}

static bool opens_files(uint64_t call)
{
	switch (call) {
#ifdef SYS_open
	case SYS_open:
#endif
#ifdef SYS_creat
	case SYS_creat:
#endif
	case SYS_openat:
	case SYS_openat2:
	case SYS_open_by_handle_at:
	case SYS_open_tree:
	case SYS_fsmount:
		return true;
	default:
		return false;
	}
}

static bool changes_files(uint64_t call)
{
	switch (call) {
#ifdef SYS_unlink
	case SYS_unlink:
	case SYS_rename:
	case SYS_mkdir:
	case SYS_link:
	case SYS_symlink:
	case SYS_chmod:
	case SYS_chown:
#endif
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_mkdirat:
	case SYS_symlinkat:
	case SYS_fchmodat:
	case SYS_fchownat:
	case SYS_truncate:
	case SYS_mount:
	case SYS_umount2:
	case SYS_execve:
	case SYS_socket:
	case SYS_connect:
		return true;
	default:
		return false;
	}
}

/* A call that looks at a file by name, without opening it: by which name? */
static void check_named(int pid, const struct __ptrace_syscall_info *info, const struct tree *t,
			struct outcome *ret)
{
	char path[256] = "";
	struct iovec to = { path, sizeof(path) - 1 };
	struct iovec from = { (void *)(uintptr_t)info->entry.args[1], sizeof(path) - 1 };

	switch (info->entry.nr) {
	case SYS_newfstatat:
	case SYS_readlinkat:
	case SYS_statx:
	case SYS_faccessat:
	case SYS_faccessat2:
		break;
	default:
		return;
	}
	/* Up to the end of the page, when the next one is not there. */
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) < 0) {
		from.iov_len = to.iov_len = 4096 - info->entry.args[1] % 4096;
		if (from.iov_len >= sizeof(path) || process_vm_readv(pid, &to, 1, &from, 1, 0) < 0)
			return;
	}
	if (path[0] && !ret->outside[0] && !is_allowed(path[0] == '/' ? path : "/", pid, t))
		(void)str_fmt(ret->outside, sizeof(ret->outside), "looked at %s", path);
}

/* One stop at a system call's entry or exit; @call carries its number from one to the other. */
static void on_call(int pid, uint64_t *call, const struct tree *t, struct outcome *ret)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		*call = info.entry.nr;
		check_named(pid, &info, t, ret);
		return;
	}
	if (info.op != PTRACE_SYSCALL_INFO_EXIT || info.exit.is_error)
		return;
	if (opens_files(*call))
		check_opened(pid, info.exit.rval, t, ret);
	else if (changes_files(*call) && !ret->outside[0])
		(void)str_fmt(ret->outside, sizeof(ret->outside), "made system call %d",
			      (int)*call);
}

/* The child stops itself, and then at the end of execve(): from there on it is prepare. */
void observe(int pid, const struct tree *t, struct outcome *ret)
{
	uint64_t call = 0;
	bool running = false;
	int status;

	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		int pass = WSTOPSIG(status);

		if (pass == (SIGTRAP | 0x80)) {
			if (running)
				on_call(pid, &call, t, ret);
			pass = 0;
		} else if (pass == SIGTRAP) {
			running = true;
			pass = 0;
		} else if (pass == SIGSTOP) {
			(void)ptrace(PTRACE_SETOPTIONS, pid, NULL,
				     (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC |
					      PTRACE_O_EXITKILL));
			pass = 0;
		}
		(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)pass);
	}
	ret->status = status;
}
