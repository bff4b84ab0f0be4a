/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <seccomp.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/host/probe.h"

/*
 * What our programs are linked with (--wrap) so that valgrind can run and count them. It does not
 * know openat2(2) before 3.23, nor seccomp(2), nor the 32-bit and x32 calls of a 64-bit program,
 * and could not live under the filter of system calls, which is made as always and only not loaded.
 */
enum host_can __wrap_probe_compat32(void);
enum host_can __wrap_probe_x32(void);
scmp_filter_ctx __real_seccomp_init(uint32_t action);
scmp_filter_ctx __wrap_seccomp_init(uint32_t action);
int __wrap_seccomp_load(const scmp_filter_ctx ctx);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

enum host_can __wrap_probe_compat32(void)
{
	return HOST_YES;
}

enum host_can __wrap_probe_x32(void)
{
	return HOST_NO;
}

/* The library asks the kernel what there is; Linux has had this level from 4.14 on. */
scmp_filter_ctx __wrap_seccomp_init(uint32_t action)
{
	(void)seccomp_api_set(3);
	return __real_seccomp_init(action);
}

int __wrap_seccomp_load(const scmp_filter_ctx ctx)
{
	(void)ctx;
	return 0;
}

long __wrap_syscall(long number, ...)
{
	const struct open_how *how;
	va_list list;
	long a[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number != SYS_openat2)
		return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	how = (const struct open_how *)a[2];
	return openat((int)a[0], (const char *)a[1], (int)how->flags, (mode_t)how->mode);
}
