/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/report.h"

#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"

void report_init(struct report *r)
{
	memset(r, 0, sizeof(*r));
	r->version = REPORT_VERSION;
	r->size = sizeof(*r);
	r->log_level = LOG_INFO;
}

#define TERMINATE(field) (field)[sizeof(field) - 1] = '\0'

static void terminate_strings(struct report *r)
{
	TERMINATE(r->code);
	TERMINATE(r->guest);
	TERMINATE(r->program);
	TERMINATE(r->handler);
	TERMINATE(r->line);
	for (size_t i = 0; i < REPORT_WARNINGS; i++)
		TERMINATE(r->warnings[i]);
	TERMINATE(r->engine);
	TERMINATE(r->root);
	TERMINATE(r->cgroup);
	TERMINATE(r->shim_cgroup);
	TERMINATE(r->criu_image_path);
	TERMINATE(r->criu_work_path);
	TERMINATE(r->termination);
	TERMINATE(r->cpu);
	TERMINATE(r->rule);
	TERMINATE(r->pod);
	TERMINATE(r->err.text);
}

/* A package may be upgraded under a pod: its shim is the old program, prepare the new one. */
static int check_build(const void *bytes, size_t n, struct err *err)
{
	uint32_t head[2] = { 0, 0 };

	if (n >= sizeof(head))
		memcpy(head, bytes, sizeof(head));
	if (head[0] == REPORT_VERSION && head[1] == sizeof(struct report) && n == head[1])
		return 0;
	if (head[1] != n || !n)
		return err_set(err, ERR_INVALID, "report of prepare has %zu bytes, not %zu", n,
			       sizeof(struct report));
	return err_set(err, ERR_INVALID,
		       "crossarch-prepare and the shim of this pod are of different builds "
		       "(report version %u, not %u): recreate the pod if crossarch was upgraded "
		       "since it started, or else reinstall both from one package",
		       head[0], REPORT_VERSION);
}

int report_decode(const void *bytes, size_t n, struct report *ret, struct err *err)
{
	if (check_build(bytes, n, err) < 0)
		return -1;
	memcpy(ret, bytes, sizeof(*ret));
	terminate_strings(ret);
	if (ret->verdict >= VERDICT_N || (ret->flags & ~(uint32_t)REPORT_FLAGS_ALL) ||
	    ret->n_warnings > REPORT_WARNINGS || ret->log_level > LOG_DEBUG ||
	    (unsigned int)ret->err.code > ERR_NOMEM)
		return err_set(err, ERR_INVALID, "report of prepare has values out of range");
	return 0;
}

int report_decode_last(const void *bytes, size_t n, struct report *ret, struct err *err)
{
	const char *at = bytes;

	while (n > sizeof(*ret)) {
		if (report_decode(at, sizeof(*ret), ret, err) < 0)
			return -1;
		if (!(ret->flags & REPORT_MORE))
			break;
		at += sizeof(*ret);
		n -= sizeof(*ret);
	}
	if (report_decode(at, n, ret, err) < 0)
		return -1;
	if (ret->flags & REPORT_MORE)
		return err_set(err, ERR_INVALID, "crossarch-prepare ended before its last report");
	return 0;
}

int report_write(int fd, const struct report *r, struct err *err)
{
	if (fd_write_all(fd, r, sizeof(*r)) < 0)
		return err_sys(err, ERR_IO, "write report");
	return 0;
}
