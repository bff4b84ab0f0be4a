/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/outcomes.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/metrics.h"
#include "runtime/cli/rearm_count.h"

/* node_exporter reads a directory at any moment: the file has its new contents at once, whole. */
static int write_file(const struct cli_command *self, const char *path, const struct buf *text)
{
	CLEANUP_FD int fd = -1;
	char dir[512], name[512];
	struct err err = ERR_INIT;

	if (!str_ends(path, ".prom"))
		return cli_usage(
			self, "\"%s\" does not end in .prom, and node_exporter reads no other file",
			path);
	if (!str_copy(dir, sizeof(dir), path) || !str_copy(name, sizeof(name), path))
		return cli_usage(self, "the path %.100s... is too long", path);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cli_fail(
			self,
			"cannot open %s, the directory of node_exporter's textfile collector: %m",
			dir);
	if (file_replace(fd, basename(name), 0644, text->data, text->len, &err) < 0)
		return cli_fail(self, "%s: %s", path, err.text);
	return CLI_DONE;
}

static int run_metrics(const struct cli_command *self, int argc, char **argv)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	const char *file = NULL;
	const struct cli_option options[] = {
		{ "write", 'w', CLI_STRING, &file, "FILE.prom",
		  "write the file at once, for node_exporter's textfile collector" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	struct err err = ERR_INIT;
	int status;

	if (!cli_parse(self, options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (node_read(&n, &err) < 0 ||
	    metrics_write(&n, OUTCOMES_FILE, REARMED_FILE, &text, &err) < 0)
		return cli_fail(self, "%s (this needs root on the node)", err.text);
	if (file)
		return write_file(self, file, &text);
	fputs(buf_str(&text), stdout);
	return CLI_DONE;
}

const struct cli_command cmd_metrics = {
	.name = "metrics",
	.operands = "",
	.summary = "what became of the node's containers, emulators and pulls, for Prometheus",
	.text = "Counters begin anew with a reboot.\n\n"
		"Examples:\n"
		"  crossarch metrics | grep refused\n"
		"  crossarch metrics --write /var/lib/prometheus/node-exporter/crossarch.prom\n",
	.run = run_metrics,
};
