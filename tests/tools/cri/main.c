/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "runtime/base/str.h"
#include "tests/tools/cri/cri.h"

/* clang-format off */
static const struct cli_command *const commands[] = {
	&cmd_version,
	&cmd_handlers,
	&cmd_runp,
	&cmd_stopp,
	&cmd_rmp,
	&cmd_pods,
	&cmd_podstatus,
	&cmd_pull,
	&cmd_image,
	&cmd_images,
	&cmd_rmi,
	&cmd_create,
	&cmd_start,
	&cmd_stop,
	&cmd_rm,
	&cmd_ps,
	&cmd_status,
	&cmd_wait,
	&cmd_update,
	&cmd_stats,
	&cmd_podstats,
	&cmd_exec,
	&cmd_talk,
	&cmd_attach,
	&cmd_logs,
	&cmd_checkpoint,
	NULL,
};
/* clang-format on */

static const struct cli_program program = {
	.name = "cri-client",
	.summary = "Talks to a container runtime as the kubelet does (CRI runtime.v1).",
	.version = CROSSARCH_VERSION,
	.text = "Before the command: -r, --endpoint SOCK (or CRI_ENDPOINT; " CRI_ENDPOINT_DEFAULT
		") and\n-t, --timeout SECONDS (or CRI_TIMEOUT; " CRI_TIMEOUT_DEFAULT
		", 0 for none).\n\n"
		"Example:\n"
		"  pod=$(cri-client runp --host-network --runtime crossarch)\n"
		"  c=$(cri-client create $pod docker.io/library/busybox:latest -- uname -m)\n"
		"  cri-client start $c && cri-client wait $c && cri-client logs $c\n",
	.commands = commands,
};

/* The variable that the option @arg sets, or NULL when it is not a global option. */
static const char *variable_of(const char *arg)
{
	if (str_eq(arg, "-r") || str_eq(arg, "--endpoint"))
		return CRI_ENDPOINT;
	if (str_eq(arg, "-t") || str_eq(arg, "--timeout"))
		return CRI_TIMEOUT;
	return NULL;
}

int main(int argc, char **argv)
{
	int status;

	while (argc > 2 && variable_of(argv[1])) {
		if (setenv(variable_of(argv[1]), argv[2], 1) < 0)
			return CLI_FAILED;
		argv[2] = argv[0];
		argv += 2;
		argc -= 2;
	}
	status = cli_main(&program, argc, argv);
	if (fflush(stdout) == EOF && status == CLI_DONE)
		status = CLI_FAILED;
	_exit(status);
}
