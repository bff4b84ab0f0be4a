/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crossarch, the command line. It ends with _exit(): the gRPC core's tear-down at exit would cost
 * more time than a whole lookup.
 */
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "revision.h"
#include "runtime/cli/commands.h"

/* clang-format off */
static const struct cli_command *const commands[] = {
	&cmd_doctor,
	&cmd_check,
	&cmd_why,
	&cmd_scan,
	&cmd_explain,
	&cmd_pull,
	&cmd_resolve,
	&cmd_emulators,
	&cmd_config,
	&cmd_labels,
	&cmd_metrics,
	&cmd_image_platform,
	&cmd_cpu_models,
	&cmd_choose_platform,
	NULL,
};
/* clang-format on */

static const struct cli_program program = {
	.name = "crossarch",
	.summary = "Runs containers of foreign architectures, or says in one line why it will not.",
	.version = CROSSARCH_VERSION " (" CROSSARCH_REVISION ")",
	.text = "Exit status: 0 done, 1 failed or a problem was found, 2 wrong usage.\n",
	.commands = commands,
};

int main(int argc, char **argv)
{
	int status = cli_main(&program, argc, argv);

	if (fflush(stdout) == EOF && status == CLI_DONE) {
		perror("crossarch: write to stdout");
		status = CLI_FAILED;
	}
	_exit(status);
}
