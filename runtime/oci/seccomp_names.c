/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/seccomp_names.h"

#include "runtime/base/mem.h"

/*
 * Measured over qemu-user 7.2, 10.0 and 11.1, every guest on x86-64;
 * tests/integration/emulator-calls.c measures again.
 */
/* Another call, and the same one: its arguments are in the same places. */
#define AS(guest, ...)                        \
	{                                     \
		guest, { __VA_ARGS__ }, false \
	}
#define SAME(guest, node)             \
	{                             \
		guest, { node }, true \
	}

static const struct seccomp_alias aliases[] = {
	/* any guest */
	AS("accept", "accept4"),
	AS("faccessat", "faccessat2"),
	AS("fork", "clone"),
	AS("fstat", "newfstatat"),
	AS("getrlimit", "prlimit64"),
	AS("semop", "semtimedop"),
	AS("shmat", "shmctl"),
	AS("ugetrlimit", "prlimit64"),
	AS("vfork", "clone"),
	/* guests that have calls newer architectures went without */
	AS("epoll_create", "epoll_create1"),
	AS("epoll_wait", "epoll_pwait"),
	AS("eventfd", "eventfd2"),
	AS("fstatfs64", "fstatfs"),
	AS("futimesat", "utimensat"),
	AS("ipc", "semget", "semctl", "semop", "semtimedop", "shmget", "shmctl", "shmat", "shmdt",
	   "msgget", "msgctl", "msgsnd", "msgrcv"),
	AS("lstat", "newfstatat"),
	AS("mknod", "mknodat"),
	AS("_newselect", "pselect6"),
	AS("open", "openat"),
	AS("pipe", "pipe2"),
	AS("poll", "ppoll"),
	AS("recv", "recvfrom"),
	AS("select", "pselect6"),
	AS("send", "sendto"),
	AS("signalfd", "signalfd4"),
	AS("socketcall", "socket", "bind", "connect", "listen", "accept4", "getsockname",
	   "getpeername", "socketpair", "sendto", "recvfrom", "sendmsg", "recvmsg", "shutdown",
	   "setsockopt", "getsockopt"),
	AS("stat", "newfstatat"),
	AS("statfs64", "statfs"),
	AS("sync_file_range2", "sync_file_range"),
	AS("utime", "utimensat"),
	AS("utimes", "utimensat"),
	AS("waitpid", "wait4"),
	/* 32-bit guests: wider arguments under other names */
	AS("_llseek", "lseek"),
	AS("arm_fadvise64_64", "fadvise64"),
	AS("arm_sync_file_range", "sync_file_range"),
	SAME("chown32", "chown"),
	SAME("clock_getres_time64", "clock_getres"),
	SAME("clock_gettime64", "clock_gettime"),
	SAME("clock_nanosleep_time64", "clock_nanosleep"),
	SAME("clock_settime64", "clock_settime"),
	SAME("fchown32", "fchown"),
	SAME("fcntl64", "fcntl"),
	AS("fstat64", "newfstatat", "fstat"),
	SAME("fstatat64", "newfstatat"),
	AS("ftruncate64", "ftruncate"),
	SAME("futex_time64", "futex"),
	SAME("getegid32", "getegid"),
	SAME("geteuid32", "geteuid"),
	SAME("getgid32", "getgid"),
	SAME("getgroups32", "getgroups"),
	SAME("getresgid32", "getresgid"),
	SAME("getresuid32", "getresuid"),
	SAME("getuid32", "getuid"),
	SAME("lchown32", "lchown"),
	AS("lstat64", "newfstatat"),
	AS("mmap2", "mmap"),
	SAME("mq_timedreceive_time64", "mq_timedreceive"),
	SAME("mq_timedsend_time64", "mq_timedsend"),
	SAME("ppoll_time64", "ppoll"),
	SAME("pselect6_time64", "pselect6"),
	SAME("recvmmsg_time64", "recvmmsg"),
	SAME("rt_sigtimedwait_time64", "rt_sigtimedwait"),
	SAME("sched_rr_get_interval_time64", "sched_rr_get_interval"),
	SAME("semtimedop_time64", "semtimedop"),
	SAME("sendfile64", "sendfile"),
	SAME("setfsgid32", "setfsgid"),
	SAME("setfsuid32", "setfsuid"),
	SAME("setgid32", "setgid"),
	SAME("setgroups32", "setgroups"),
	SAME("setregid32", "setregid"),
	SAME("setresgid32", "setresgid"),
	SAME("setresuid32", "setresuid"),
	SAME("setreuid32", "setreuid"),
	SAME("setuid32", "setuid"),
	AS("stat64", "newfstatat"),
	SAME("timer_gettime64", "timer_gettime"),
	SAME("timer_settime64", "timer_settime"),
	SAME("timerfd_gettime64", "timerfd_gettime"),
	SAME("timerfd_settime64", "timerfd_settime"),
	AS("truncate64", "truncate"),
	SAME("utimensat_time64", "utimensat"),
};

/*
 * Measured with Debian's arm64 qemu-x86_64 7.2 under qemu-aarch64 -strace; a newer C library makes
 * renameat2 of rename.
 */
static const struct seccomp_successor successors[] = {
	{ "access", { "faccessat" } },
	{ "alarm", { "setitimer" } },
	{ "chmod", { "fchmodat" } },
	{ "chown", { "fchownat" } },
	{ "creat", { "openat" } },
	{ "dup2", { "dup3", "fcntl" } },
	{ "getdents", { "getdents64" } },
	{ "getpgrp", { "getpgid" } },
	{ "inotify_init", { "inotify_init1" } },
	{ "lchown", { "fchownat" } },
	{ "link", { "linkat" } },
	{ "mkdir", { "mkdirat" } },
	{ "readlink", { "readlinkat" } },
	{ "rename", { "renameat", "renameat2" } },
	{ "rmdir", { "unlinkat" } },
	{ "symlink", { "symlinkat" } },
	{ "time", { "clock_gettime" } },
	{ "unlink", { "unlinkat" } },
};

/* The same measurements: needed with a default action of ERRNO first, the rest when it kills. */
static const char *const baseline[] = {
	"arch_prctl",  "clone",		  "futex",
	"mmap",	       "mprotect",	  "newfstatat",
	"fstat",       "openat",	  "prlimit64",
	"read",	       "rt_sigprocmask",  "access",
	"brk",	       "clock_nanosleep", "close",
	"exit",	       "exit_group",	  "faccessat2",
	"fcntl",       "getcwd",	  "getegid",
	"geteuid",     "getgid",	  "getpid",
	"getrandom",   "gettid",	  "getuid",
	"lseek",       "madvise",	  "mremap",
	"munmap",      "pread64",	  "readlink",
	"rseq",	       "rt_sigaction",	  "rt_sigreturn",
	"sched_yield", "set_robust_list", "set_tid_address",
	"sysinfo",     "uname",		  "wait4",
	NULL,
};

/* Measured by refusing one call at a time; where another C library takes another way, both ways. */
static const struct seccomp_vital vital[] = {
	{ { "mmap" }, false },
	{ { "mprotect" }, false },
	{ { "read" }, false },
	{ { "arch_prctl" }, false },
	{ { "clone", "clone3" }, false },
	{ { "futex" }, false },
	{ { "uname" }, false },
	{ { "openat", "open" }, false },
	{ { "newfstatat", "fstat", "statx" }, false },
	{ { "rt_sigprocmask" }, true },
	{ { "rt_sigaction" }, true },
	{ { "brk" }, true },
	{ { "close" }, true },
	{ { "getuid" }, true },
	{ { "geteuid" }, true },
	{ { "getgid" }, true },
	{ { "getegid" }, true },
	{ { "gettid" }, true },
	{ { "munmap" }, true },
	{ { "set_tid_address" }, true },
};

const struct seccomp_alias *seccomp_aliases(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(aliases);
	return aliases;
}

const struct seccomp_successor *seccomp_successors(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(successors);
	return successors;
}

const char *const *seccomp_baseline(void)
{
	return baseline;
}

const struct seccomp_vital *seccomp_vital(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(vital);
	return vital;
}
