/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny-call SYSCALL ERRNO PROGRAM [ARGUMENT...]
 *
 * Runs a program on a kernel that lacks a system call, or has it and forbids it: what a test
 * machine's own kernel cannot be made to do. ERRNO is a number.
 */
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int deny(const char *name, int errnum)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int call = seccomp_syscall_resolve_name(name);

	if (!ctx || call < 0 || seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) < 0)
		return -1;
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO((unsigned int)errnum), call, 0) < 0
		       ? -1
		       : seccomp_load(ctx);
}

int main(int argc, char **argv)
{
	if (argc < 4 || deny(argv[1], atoi(argv[2])) < 0) {
		fprintf(stderr, "usage: deny-call SYSCALL ERRNO PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
