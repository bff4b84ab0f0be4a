/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/seccomp_names.h"

#include "runtime/base/mem.h"

/* Measured with strace over qemu-user 7.2 and 10.0 (feasibility.md S4), every guest on x86-64. */
static const struct seccomp_alias aliases[] = {
	/* any guest */
	{ "accept", { "accept4" } },
	{ "faccessat", { "faccessat2" } },
	{ "fork", { "clone" } },
	{ "fstat", { "newfstatat" } },
	{ "getrlimit", { "prlimit64" } },
	{ "semop", { "semtimedop" } },
	{ "shmat", { "shmctl" } },
	{ "ugetrlimit", { "prlimit64" } },
	{ "vfork", { "clone" } },
	/* guests that have calls newer architectures went without */
	{ "epoll_create", { "epoll_create1" } },
	{ "epoll_wait", { "epoll_pwait" } },
	{ "eventfd", { "eventfd2" } },
	{ "fstatfs64", { "fstatfs" } },
	{ "futimesat", { "utimensat" } },
	{ "ipc",
	  { "semget", "semctl", "semop", "semtimedop", "shmget", "shmctl", "shmat", "shmdt",
	    "msgget", "msgctl", "msgsnd", "msgrcv" } },
	{ "lstat", { "newfstatat" } },
	{ "mknod", { "mknodat" } },
	{ "_newselect", { "pselect6" } },
	{ "open", { "openat" } },
	{ "pipe", { "pipe2" } },
	{ "poll", { "ppoll" } },
	{ "recv", { "recvfrom" } },
	{ "select", { "pselect6" } },
	{ "send", { "sendto" } },
	{ "signalfd", { "signalfd4" } },
	{ "socketcall",
	  { "socket", "bind", "connect", "listen", "accept4", "getsockname", "getpeername",
	    "socketpair", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt" } },
	{ "stat", { "newfstatat" } },
	{ "statfs64", { "statfs" } },
	{ "sync_file_range2", { "sync_file_range" } },
	{ "utime", { "utimensat" } },
	{ "utimes", { "utimensat" } },
	{ "waitpid", { "wait4" } },
	/* 32-bit guests: wider arguments under other names */
	{ "_llseek", { "lseek" } },
	{ "arm_fadvise64_64", { "fadvise64" } },
	{ "arm_sync_file_range", { "sync_file_range" } },
	{ "chown32", { "chown" } },
	{ "clock_getres_time64", { "clock_getres" } },
	{ "clock_gettime64", { "clock_gettime" } },
	{ "clock_nanosleep_time64", { "clock_nanosleep" } },
	{ "clock_settime64", { "clock_settime" } },
	{ "fchown32", { "fchown" } },
	{ "fcntl64", { "fcntl" } },
	{ "fstat64", { "newfstatat" } },
	{ "fstatat64", { "newfstatat" } },
	{ "ftruncate64", { "ftruncate" } },
	{ "futex_time64", { "futex" } },
	{ "getegid32", { "getegid" } },
	{ "geteuid32", { "geteuid" } },
	{ "getgid32", { "getgid" } },
	{ "getgroups32", { "getgroups" } },
	{ "getresgid32", { "getresgid" } },
	{ "getresuid32", { "getresuid" } },
	{ "getuid32", { "getuid" } },
	{ "lchown32", { "lchown" } },
	{ "lstat64", { "newfstatat" } },
	{ "mmap2", { "mmap" } },
	{ "mq_timedreceive_time64", { "mq_timedreceive" } },
	{ "mq_timedsend_time64", { "mq_timedsend" } },
	{ "ppoll_time64", { "ppoll" } },
	{ "pselect6_time64", { "pselect6" } },
	{ "recvmmsg_time64", { "recvmmsg" } },
	{ "rt_sigtimedwait_time64", { "rt_sigtimedwait" } },
	{ "sched_rr_get_interval_time64", { "sched_rr_get_interval" } },
	{ "semtimedop_time64", { "semtimedop" } },
	{ "sendfile64", { "sendfile" } },
	{ "setfsgid32", { "setfsgid" } },
	{ "setfsuid32", { "setfsuid" } },
	{ "setgid32", { "setgid" } },
	{ "setgroups32", { "setgroups" } },
	{ "setregid32", { "setregid" } },
	{ "setresgid32", { "setresgid" } },
	{ "setresuid32", { "setresuid" } },
	{ "setreuid32", { "setreuid" } },
	{ "setuid32", { "setuid" } },
	{ "stat64", { "newfstatat" } },
	{ "timer_gettime64", { "timer_gettime" } },
	{ "timer_settime64", { "timer_settime" } },
	{ "timerfd_gettime64", { "timerfd_gettime" } },
	{ "timerfd_settime64", { "timerfd_settime" } },
	{ "truncate64", { "truncate" } },
	{ "utimensat_time64", { "utimensat" } },
};

/* The same measurements: needed with a default action of ERRNO first, the rest when it kills. */
static const char *const baseline[] = {
	"arch_prctl",
	"clone",
	"futex",
	"mmap",
	"mprotect",
	"newfstatat",
	"openat",
	"read",
	"rt_sigprocmask",
	"access",
	"brk",
	"clock_nanosleep",
	"close",
	"exit",
	"exit_group",
	"faccessat2",
	"fcntl",
	"getcwd",
	"getegid",
	"geteuid",
	"getgid",
	"getpid",
	"getrandom",
	"gettid",
	"getuid",
	"lseek",
	"madvise",
	"mremap",
	"munmap",
	"pread64",
	"readlink",
	"rseq",
	"rt_sigaction",
	"rt_sigreturn",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	"sysinfo",
	"uname",
	"wait4",
	NULL,
};

static const char *const vital[] = { "mmap", "mprotect", "read", "rt_sigprocmask", NULL };

const struct seccomp_alias *seccomp_aliases(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(aliases);
	return aliases;
}

const char *const *seccomp_baseline(void)
{
	return baseline;
}

const char *const *seccomp_vital(void)
{
	return vital;
}
