/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/choose/choose.h"
#include "runtime/cli/commands.h"
#include "runtime/prepare/client.h"

/* Beyond what a pull may take: the shim kills us in the end, so this is for a containerd that
 * hangs. */
#define ANSWERS_MS 8000
#define ARENA_MAX (64u << 20)
#define WAIT_MAX_MS (24u * 3600 * 1000)

struct arguments {
	const char *address, *namespace, *id;
	uint64_t wait_ms;
};

static uint64_t after_ms(uint64_t ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + ms * 1000000u;
}

static bool is_started_by_shim(void)
{
	return fcntl(FD_REPORT, F_GETFD) >= 0 && fcntl(FD_BUNDLE, F_GETFD) >= 0 &&
	       fcntl(FD_REQUEST, F_GETFD) >= 0;
}

static int read_request(struct arena *arena, struct prepare_request *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(REQUEST_MAX);

	if (lseek(FD_REQUEST, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "rewind the request");
	if (fd_read_all(FD_REQUEST, "the request", &text, err) < 0)
		return -1;
	return request_decode(text.data, text.len, arena, ret, err);
}

/* prepare reads it from the same file. */
static int write_request(const struct prepare_request *r, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(REQUEST_MAX);

	if (request_encode(r, &text, err) < 0)
		return -1;
	if (ftruncate(FD_REQUEST, 0) < 0 || lseek(FD_REQUEST, 0, SEEK_SET) < 0 ||
	    fd_write_all(FD_REQUEST, text.data, text.len) < 0 || lseek(FD_REQUEST, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "write the request for crossarch-prepare");
	return 0;
}

/* Nobody listens afterwards. */
static int tell(struct chooser *c, struct err *err)
{
	int rc = report_write(FD_REPORT, c->report, err);

	close(FD_REPORT);
	return rc;
}

static int choose(const struct arguments *a, struct chooser *c, struct err *err)
{
	const struct rpc_target target = {
		.socket = a->address,
		.namespace = a->namespace,
		.timeout_ms = (unsigned int)a->wait_ms + ANSWERS_MS,
	};

	/* Never closed, as with image-platform. */
	if (read_request(c->arena, c->request, err) < 0 || rpc_open(&target, &c->rpc, err) < 0 ||
	    choose_platform(c, err) < 0)
		return -1;
	if (c->told || c->report->verdict != VERDICT_NATIVE)
		return 0;
	return write_request(c->request, err);
}

static int answer(const struct arguments *a)
{
	CLEANUP_ARENA struct arena arena = { .max = ARENA_MAX };
	CLEANUP_FREE struct report *report = calloc(1, sizeof(*report));
	struct prepare_request request;
	struct err err = ERR_INIT;
	struct chooser c = {
		.id = a->id,
		.bundle = FD_BUNDLE,
		.until_ns = after_ms(a->wait_ms),
		.arena = &arena,
		.request = &request,
		.report = report,
		.tell = tell,
	};

	if (!report)
		return CLI_FAILED;
	report_init(report);
	if (choose(a, &c, &err) < 0) {
		report->verdict = VERDICT_NONE;
		report->err = err;
		if (c.told)
			log_write(LOG_ERROR, request_subject(&request),
				  LOG_FIELDS(.error = err.text), "the pull ended");
	}
	return c.told || report_write(FD_REPORT, report, &err) == 0 ? CLI_DONE : CLI_FAILED;
}

static int run_choose_platform(const struct cli_command *self, int argc, char **argv)
{
	struct arguments a = { .address = NULL };
	const struct cli_option options[] = {
		{ "address", 'a', CLI_STRING, &a.address, "SOCK", "containerd's socket" },
		{ "namespace", 'n', CLI_STRING, &a.namespace, "NS", "containerd namespace" },
		{ "wait", 'w', CLI_NUMBER, &a.wait_ms, "MS", "how long to wait for a pull" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!a.address || !a.namespace || a.wait_ms > WAIT_MAX_MS || !is_started_by_shim())
		return cli_usage(self, "this is for the shim, which hands descriptors over; see "
				       "\"crossarch check IMAGE --platform P\" instead");
	a.id = operands.v[0];
	(void)signal(SIGPIPE, SIG_IGN);
	return answer(&a);
}

const struct cli_command cmd_choose_platform = {
	.name = "choose-platform",
	.operands = "CONTAINER-ID",
	.summary = "put a container on the platform that its pod asks for",
	.text = "Started by the shim before a container is created; not for people.\n",
	.internal = true,
	.run = run_choose_platform,
};
