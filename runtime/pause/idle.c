/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pause/idle.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int idle_drop_privileges(struct err *err)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	/* Nor may a container that sees this process look into it or use it. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, ERR_IO, "become unreadable");
	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, none) < 0)
		return err_sys(err, ERR_IO, "give up privileges");
	return 0;
}

/*
 * Waited for and not handled: of signals that the first process of a PID namespace does not handle
 * nothing would come (pid_namespaces(7)). All of them, or the kernel would keep those that are
 * blocked.
 */
_Noreturn void idle(void)
{
	sigset_t awaited;
	int sig;

	sigfillset(&awaited);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sig = sigwaitinfo(&awaited, NULL);
		if (sig == SIGTERM || sig == SIGINT)
			_exit(0);
	}
}
