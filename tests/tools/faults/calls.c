/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "tests/tools/faults/faults.h"

/*
 * System calls at which a process is stopped, and the errors that the kernel really returns there:
 * an error that cannot happen would only show how a program dies of it.
 */
#define KILL (1u << ACT_KILL)
#define SPACE (1u << ACT_ENOSPC)
#define FILES (1u << ACT_EMFILE)
#define MEMORY (1u << ACT_ENOMEM)
#define INOUT (1u << ACT_EIO)

struct known {
	uint64_t number;
	const char *name;
	unsigned int actions; /* besides KILL */
};

#define CALL(name, actions)                \
	{                                  \
		SYS_##name, #name, actions \
	}

static const struct known known[] = {
#ifdef SYS_open
	CALL(open, FILES | MEMORY | INOUT),
	CALL(mkdir, SPACE | MEMORY | INOUT),
	CALL(rename, SPACE | MEMORY | INOUT),
	CALL(unlink, INOUT),
	CALL(rmdir, INOUT),
	CALL(readlink, INOUT),
	CALL(symlink, SPACE | INOUT),
	CALL(pipe, FILES | MEMORY),
	CALL(fork, MEMORY),
	CALL(vfork, MEMORY),
	CALL(epoll_create, FILES | MEMORY),
	CALL(epoll_wait, 0),
	CALL(poll, 0),
	CALL(getdents, INOUT),
	CALL(dup2, 0),
	CALL(chmod, INOUT),
	CALL(chown, INOUT),
	CALL(stat, INOUT),
	CALL(lstat, INOUT),
	CALL(access, INOUT),
	CALL(pause, 0),
#endif
	CALL(openat, FILES | MEMORY | INOUT),
	CALL(openat2, FILES | MEMORY | INOUT),
	CALL(mkdirat, SPACE | MEMORY | INOUT),
	CALL(renameat, SPACE | MEMORY | INOUT),
	CALL(renameat2, SPACE | MEMORY | INOUT),
	CALL(unlinkat, INOUT),
	CALL(readlinkat, INOUT),
	CALL(symlinkat, SPACE | INOUT),
	CALL(linkat, SPACE | INOUT),
	CALL(mknodat, SPACE | INOUT),
	CALL(ftruncate, SPACE | INOUT),
	CALL(fallocate, SPACE | INOUT),
	CALL(fsync, SPACE | INOUT),
	CALL(write, SPACE | INOUT),
	CALL(writev, SPACE | INOUT),
	CALL(pwrite64, SPACE | INOUT),
	CALL(read, INOUT),
	CALL(pread64, INOUT),
	CALL(sendfile, SPACE | INOUT),
	CALL(copy_file_range, SPACE | INOUT),
	CALL(splice, MEMORY),
	CALL(newfstatat, INOUT),
	CALL(statx, INOUT),
	CALL(fstat, 0),
	CALL(getdents64, INOUT),
	CALL(faccessat, INOUT),
	CALL(fchmodat, INOUT),
	CALL(fchownat, INOUT),
	CALL(fchmod, INOUT),
	CALL(fchown, INOUT),
	CALL(pipe2, FILES | MEMORY),
	CALL(dup, FILES),
	CALL(dup3, 0),
	CALL(socket, FILES | MEMORY),
	CALL(socketpair, FILES | MEMORY),
	CALL(accept, FILES | MEMORY),
	CALL(accept4, FILES | MEMORY),
	CALL(connect, MEMORY),
	CALL(bind, SPACE | MEMORY),
	CALL(listen, 0),
	CALL(sendmsg, MEMORY),
	CALL(sendto, MEMORY),
	CALL(recvmsg, MEMORY),
	CALL(recvfrom, MEMORY),
	CALL(epoll_create1, FILES | MEMORY),
	CALL(epoll_ctl, 0),
	CALL(eventfd2, FILES | MEMORY),
	CALL(signalfd4, FILES | MEMORY),
	CALL(timerfd_create, FILES | MEMORY),
	CALL(inotify_init1, FILES | MEMORY),
	CALL(inotify_add_watch, SPACE | MEMORY),
	CALL(memfd_create, FILES | MEMORY),
	CALL(pidfd_open, FILES | MEMORY),
	CALL(pidfd_send_signal, 0),
	CALL(clone, MEMORY),
	CALL(clone3, MEMORY),
	CALL(execve, MEMORY),
	CALL(wait4, 0),
	CALL(waitid, 0),
	CALL(kill, 0),
	CALL(brk, MEMORY),
	CALL(mmap, MEMORY),
	CALL(mremap, MEMORY),
	CALL(mount, MEMORY),
	CALL(umount2, 0),
	CALL(open_tree, FILES | MEMORY),
	CALL(move_mount, MEMORY),
	CALL(fsopen, FILES | MEMORY),
	CALL(fsmount, FILES | MEMORY),
	CALL(mount_setattr, MEMORY),
	CALL(setns, MEMORY),
	CALL(unshare, MEMORY),
	CALL(chdir, INOUT),
	CALL(fchdir, 0),
	CALL(flock, 0),
	CALL(setsid, 0),
	CALL(setpgid, 0),
	CALL(fcntl, 0),
	CALL(close, 0),
	CALL(close_range, 0),
	CALL(seccomp, MEMORY),
	CALL(capset, 0),
	CALL(prctl, 0),
	CALL(getppid, 0),
	CALL(epoll_pwait, 0),
	CALL(ppoll, 0),
	CALL(statfs, INOUT),
	CALL(fstatfs, 0),
	CALL(exit_group, 0),
};

static const struct known *find(uint64_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].number == number)
			return &known[i];
	return NULL;
}

const char *call_name(uint64_t number)
{
	const struct known *k = find(number);

	return k ? k->name : "?";
}

/* What depends on an argument: creating takes space, duplicating and adding take a slot. */
unsigned int call_actions(uint64_t number, const uint64_t args[6])
{
	const struct known *k = find(number);
	unsigned int actions = k ? k->actions | KILL : 0;

	if ((number == SYS_openat && (args[2] & O_CREAT)))
		actions |= SPACE;
	if (number == SYS_fcntl && (args[1] == F_DUPFD || args[1] == F_DUPFD_CLOEXEC))
		actions |= FILES;
	if (number == SYS_epoll_ctl && args[1] == EPOLL_CTL_ADD)
		actions |= SPACE | MEMORY;
	return actions;
}
