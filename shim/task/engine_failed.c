/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/prepare/client.h"
#include "runtime/prepare/report.h"
#include "shim/task/operation.h"

/* operation_engine_failed(): why, as the engine says it. */

/* What the log says in the engine's own words, else what we know: the exit code. */
static void engine_error_text(struct operation *op, struct err *err)
{
	CLEANUP_FREE struct report *r = malloc(sizeof(*r));
	ssize_t n = r && op->error_fd >= 0 ? read(op->error_fd, r, sizeof(*r)) : -1;
	const char *verb = engine_verb_name(op->verb);

	if (n == (ssize_t)sizeof(*r) && report_decode(r, (size_t)n, r, err) == 0 &&
	    r->err.text[0]) {
		err_set(err, ERR_ENGINE, "OCI runtime %s failed: %s", verb, r->err.text);
		if (strstr(r->err.text, "does not exist"))
			err->code = ERR_NOT_FOUND;
	} else {
		err_set(err, ERR_ENGINE,
			"OCI runtime %s failed: %s exited with code %u and no message", verb,
			op->task->engine_path, op->engine_code);
	}
}

/* Of everything else it is enough that the client hears of it: of probes, all day long. */
static bool is_of_the_container(const struct operation *op)
{
	return op->verb == ENGINE_CREATE || op->verb == ENGINE_START || op->verb == ENGINE_RESTORE;
}

static void tell_engine_error(struct operation *op)
{
	struct err err;

	engine_error_text(op, &err);
	log_write(is_of_the_container(op) ? LOG_WARNING : LOG_DEBUG, operation_subject(op),
		  LOG_FIELDS(.engine = op->task->engine_path, .error = err.text),
		  "the engine's %s failed", engine_verb_name(op->verb));
	fd_close(&op->error_fd);
	operation_fail(op, &err);
}

static void on_engine_error(struct run *run, uint32_t code)
{
	(void)code;
	tell_engine_error(run->op);
}

static int open_log(const char *path)
{
	return path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW) : -1;
}

static int ask_engine_error(struct operation *op, struct err *err)
{
	CLEANUP_FD int log_fd = open(op->log, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP_FD int criu_fd = open_log(op->criu_log);
	CLEANUP_FD int w = -1;
	struct spawn_fd map[PREPARE_FDS_MAX];
	struct prepare_fds fds = { .bundle = log_fd, .platform = criu_fd, .log = -1 };

	fds.request = op->process ? stdio_engine_words(&op->process->io) : -1;
	if (log_fd < 0 && fds.request < 0)
		return err_sys(err, ERR_IO, "open %s", op->log);
	if (fd_pipe(&op->error_fd, &w, O_NONBLOCK, err) < 0)
		return -1;
	fds.report = w;
	return operation_prepare(op, &op->step, "engine-error", map, prepare_map(&fds, map),
				 on_engine_error, err);
}

void operation_engine_failed(struct operation *op, uint32_t code)
{
	struct err err;

	op->engine_code = code;
	if (op->timed_out) {
		err_set(&err, ERR_TIMEOUT, "OCI runtime %s did not finish before the deadline",
			engine_verb_name(op->verb));
		operation_fail(op, &err);
	} else if (ask_engine_error(op, &err) < 0) {
		tell_engine_error(op);
	}
}
