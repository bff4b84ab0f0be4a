/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs that count their lines are linked with (make cover, --wrap). gcc's counters are
 * written when exit() is called; ours end with _exit() as well, and crossarch-prepare has given up
 * by then what writing takes.
 */
#include <gcov.h>
#include <seccomp.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
int __wrap_seccomp_load(scmp_filter_ctx ctx);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* A child that shares its parent's memory may call this: hence the second line. */
_Noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	__gcov_reset();
	__real__exit(status);
}

int __wrap_seccomp_load(scmp_filter_ctx ctx)
{
	(void)ctx;
	return 0;
}

/* Of the ways to be confined, those that forbid to write files. */
long __wrap_syscall(long number, ...)
{
	va_list list;
	long a[6];

	if (number == SYS_setfsuid || number == SYS_landlock_restrict_self)
		return 0;
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
