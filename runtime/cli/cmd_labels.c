/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/output.h"

static int write_file(const struct cli_command *self, const char *dir, const struct buf *text)
{
	CLEANUP_FD int fd = -1;
	struct err err = ERR_INIT;

	if (dir_make(dir, 0755, &err) < 0)
		return cli_fail(self, "%s (this needs root on the node)", err.text);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cli_fail(self, "cannot open %s", dir);
	if (file_replace(fd, "crossarch", 0644, text->data, text->len, &err) < 0)
		return cli_fail(self, "%s/%s (this needs root on the node)", dir, err.text);
	printf("wrote %s/crossarch\n", dir);
	return CLI_DONE;
}

static int run_labels(const struct cli_command *self, int argc, char **argv)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(64u << 10);
	const char *dir = LABEL_DIR;
	bool write = false, quiet = false;
	const struct cli_option options[] = {
		{ "write", 'w', CLI_FLAG, &write, NULL, "write the file instead of printing it" },
		{ "directory", 'd', CLI_STRING, &dir, "DIR", "where to write it (" LABEL_DIR ")" },
		{ "quiet", 'q', CLI_FLAG, &quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	struct err err = ERR_INIT;
	int status;

	if (!cli_parse(self, options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (quiet)
		be_quiet();
	if (node_read(&n, &err) < 0)
		return cli_fail(self, "%s", err.text);
	emulators_try(&n);
	if (labels_write(&n, &text, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (write)
		return write_file(self, dir, &text);
	fputs(buf_str(&text), stdout);
	return CLI_DONE;
}

const struct cli_command cmd_labels = {
	.name = "labels",
	.operands = "",
	.summary = "label the node with what it can run",
	.text = "Runs every emulator and prints a local feature file for node-feature-discovery: "
		"one label\n"
		"for each architecture whose containers run here, natively or emulated\n"
		"(" LABEL_PREFIX LABEL_RUNS "ARCH), one for each emulator that works\n"
		"(" LABEL_PREFIX LABEL_EMULATOR "ARCH) and one for each x86-64 level of\n"
		"the processor.\n"
		"\n"
		"Examples:\n"
		"  crossarch labels\n"
		"  crossarch labels --write\n",
	.run = run_labels,
};
