/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "revision.h"
#include "runtime/base/environ.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/actions.h"

#define NAME "containerd-shim-crossarch-v2"

static int usage(const char *why)
{
	fprintf(stderr,
		"%s: %s. It is started by containerd (runtime_type = "
		"\"io.containerd.crossarch.v2\"); actions are \"start\" and \"delete\"; "
		"-info and -v print what it is\n",
		NAME, why);
	return 2;
}

static int print_version(void)
{
	printf("%s:\n  Version:  %s\n  Revision: %s\n", NAME, CROSSARCH_VERSION,
	       CROSSARCH_REVISION);
	return 0;
}

static int run_action(struct args *a, struct err *err)
{
	if (a->info)
		return action_info(a, err);
	if (str_eq(a->action, "start"))
		return action_start(a, err);
	return action_delete(a, err);
}

static const char *check_arguments(const struct args *a)
{
	if (a->info)
		return NULL;
	if (!*a->action)
		return "an action is missing";
	if (!str_eq(a->action, "start") && !str_eq(a->action, "delete"))
		return "unknown action";
	return NULL;
}

/*
 * containerd reads standard error of `start` together with the address (CombinedOutput in
 * core/runtime/v2/binary.go), so that a warning there would spoil the answer. From here on it leads
 * to the log of this container, the FIFO in the bundle, or nowhere. Returns a descriptor for the
 * one error that an action may end with, -1 if there is none.
 */
static int set_stderr_aside(void)
{
	CLEANUP_FD int log = open("log", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	CLEANUP_FD int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int answer = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (dup2(log < 0 ? null_fd : log, STDERR_FILENO) < 0)
		close(STDERR_FILENO);
	return answer;
}

/* containerd shows what was printed: one line without a newline at its end. */
static int fail(int fd, const struct err *why)
{
	if (fd >= 0)
		dprintf(fd, "crossarch: %s", why->text);
	return 1;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	const char *wrong;
	struct args a;
	int answer;

	environ_leave_service();
	if (args_parse(argc, argv, &a, &err) < 0)
		return usage(err.text);
	if (a.version)
		return print_version();
	wrong = check_arguments(&a);
	if (wrong)
		return usage(wrong);
	/* A descriptor that somebody left open must not stay open as long as the pod lives. */
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	answer = set_stderr_aside();
	return run_action(&a, &err) == 0 ? 0 : fail(answer, &err);
}
