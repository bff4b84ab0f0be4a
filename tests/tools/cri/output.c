/* SPDX-License-Identifier: Apache-2.0 */
/* What containers say: ExecSync and log files. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/cri/cri.h"

/* More than any test writes. */
#define LOG_MAX (512u << 20)

static int exec_run(const struct cli_command *self, int argc, char **argv)
{
	uint64_t timeout = 0;
	const struct cli_option options[] = {
		{ "timeout", 't', CLI_NUMBER, &timeout, "SECONDS",
		  "kill the command after this (never)" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	Cri__ExecSyncRequest request = CRI__EXEC_SYNC_REQUEST__INIT;
	const Cri__ExecSyncReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 2, SIZE_MAX, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.id = operands.v[0];
	request.cmd = operands.v + 1;
	request.n_cmd = operands.n - 1;
	request.timeout = (int64_t)timeout;
	reply = cri_call(&cri, "RuntimeService/ExecSync", &request.base,
			 &cri__exec_sync_reply__descriptor);
	if (!reply)
		return CLI_FAILED;
	if (fd_write_all(STDOUT_FILENO, reply->stdout.data, reply->stdout.len) < 0 ||
	    fd_write_all(STDERR_FILENO, reply->stderr.data, reply->stderr.len) < 0)
		return CLI_FAILED;
	return reply->exit_code;
}

const struct cli_command cmd_exec = {
	.name = "exec",
	.operands = "CONTAINER -- CMD [ARGS]",
	.summary = "run a command in a container, with its output and exit code",
	.run = exec_run,
};

/* --- logs ---------------------------------------------------------------------------------- */

/*
 * One line of the CRI log format: "TIME STREAM TAG TEXT", where tag P means that the text goes on
 * in the next line of the same stream and F that it ends here.
 */
static bool print_line(const char *line, size_t n)
{
	const char *stream = memchr(line, ' ', n), *tag, *text, *end = line + n;
	bool is_stdout;

	tag = stream ? memchr(stream + 1, ' ', (size_t)(end - stream - 1)) : NULL;
	text = tag ? memchr(tag + 1, ' ', (size_t)(end - tag - 1)) : NULL;
	if (!text)
		return false;
	is_stdout = tag - stream - 1 == 6 && memcmp(stream + 1, "stdout", 6) == 0;
	text++;
	fwrite(text, 1, (size_t)(end - text), is_stdout ? stdout : stderr);
	if (tag[1] == 'F')
		fputc('\n', is_stdout ? stdout : stderr);
	return true;
}

static int print_log(const struct cli_command *self, const struct buf *log)
{
	const char *p = buf_str(log), *end = p + log->len;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		newline = newline ? newline : end;
		if (!print_line(p, (size_t)(newline - p)))
			return cli_fail(self, "not a line of a CRI log: %.*s",
					(int)(newline - p < 80 ? newline - p : 80), p);
		p = newline + 1;
	}
	return CLI_DONE;
}

static int logs_run(const struct cli_command *self, int argc, char **argv)
{
	bool raw = false;
	const struct cli_option options[] = {
		{ "raw", 0, CLI_FLAG, &raw, NULL, "print the file as it is" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	CLEANUP_BUF struct buf log = BUF_INIT(LOG_MAX);
	const Cri__ContainerStatusReply *reply;
	struct err err = ERR_INIT;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri) || !(reply = cri_container_status(&cri, operands.v[0])))
		return CLI_FAILED;
	if (file_read(AT_FDCWD, reply->status->log_path, &log, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (!raw)
		return print_log(self, &log);
	return fd_write_all(STDOUT_FILENO, log.data, log.len) < 0 ? CLI_FAILED : CLI_DONE;
}

const struct cli_command cmd_logs = {
	.name = "logs",
	.operands = "CONTAINER",
	.summary = "print what a container wrote, each stream to its own",
	.run = logs_run,
};
