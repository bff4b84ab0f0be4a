/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/report.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"

void report_init(struct report *r)
{
	memset(r, 0, sizeof(*r));
	r->version = REPORT_VERSION;
	r->size = sizeof(*r);
	r->guest_row = UINT32_MAX;
	r->decided.log_level = LOG_INFO;
}

void report_code_of(const char *line, char ret[static 32])
{
	const char *begin = str_after(line, "crossarch[");
	size_t n = begin ? strcspn(begin, "]") : 0;

	ret[0] = '\0';
	if (n < 32 && begin && begin[n]) {
		memcpy(ret, begin, n);
		ret[n] = '\0';
	}
}

#define TERMINATE(field) (field)[sizeof(field) - 1] = '\0'

static void terminate_decided(struct decided *d)
{
	TERMINATE(d->engine);
	TERMINATE(d->root);
	TERMINATE(d->cgroup);
	TERMINATE(d->shim_cgroup);
	TERMINATE(d->criu_image_path);
	TERMINATE(d->criu_work_path);
	TERMINATE(d->pod);
}

static void terminate_strings(struct report *r)
{
	terminate_decided(&r->decided);
	TERMINATE(r->code);
	TERMINATE(r->guest);
	TERMINATE(r->program);
	TERMINATE(r->handler);
	TERMINATE(r->line);
	for (size_t i = 0; i < REPORT_WARNINGS; i++)
		TERMINATE(r->warnings[i]);
	TERMINATE(r->cpu);
	TERMINATE(r->err.text);
}

/* Overwriting programs in place under a pod mixes builds: an old shim runs with a new prepare. */
static int check_build(const void *bytes, size_t n, struct err *err)
{
	uint32_t head[2] = { 0, 0 };

	if (n >= sizeof(head))
		memcpy(head, bytes, sizeof(head));
	if (head[0] == REPORT_VERSION && head[1] == sizeof(struct report) && n == head[1])
		return 0;
	if (n < sizeof(head))
		return err_set(err, ERR_INVALID,
			       "the report of crossarch-prepare ends after %zu bytes", n);
	if (head[0] == REPORT_VERSION && head[1] == sizeof(struct report))
		return err_set(err, ERR_INVALID,
			       "the report of crossarch-prepare has %zu bytes instead of %u", n,
			       head[1]);
	return err_set(err, ERR_INVALID,
		       "crossarch-prepare and the shim of this pod are of different builds "
		       "(report version %u of %u bytes, not %u of %zu): recreate the pod if "
		       "crossarch was written over in place since it started, or else reinstall "
		       "both from one package",
		       head[0], head[1], REPORT_VERSION, sizeof(struct report));
}

int report_decode(const void *bytes, size_t n, struct report *ret, struct err *err)
{
	if (check_build(bytes, n, err) < 0)
		return -1;
	memcpy(ret, bytes, sizeof(*ret));
	terminate_strings(ret);
	if (ret->verdict >= VERDICT_N || (ret->flags & ~(uint32_t)REPORT_FLAGS_ALL) ||
	    ret->n_warnings > REPORT_WARNINGS || ret->program_level > 4 || ret->image_level > 4 ||
	    (ret->decided.flags & ~(uint32_t)DECIDED_FLAGS_ALL) ||
	    ret->decided.log_level > LOG_DEBUG || (unsigned int)ret->err.code > ERR_NOMEM)
		return err_set(err, ERR_INVALID, "report of prepare has values out of range");
	return 0;
}

/* Of records after which another one comes. */
#define FOLLOWED (REPORT_MORE | REPORT_DECIDED)

int report_decode_last(const void *bytes, size_t n, struct report *ret, struct err *err)
{
	const char *at = bytes;

	while (n > sizeof(*ret)) {
		if (report_decode(at, sizeof(*ret), ret, err) < 0)
			return -1;
		if (!(ret->flags & FOLLOWED))
			break;
		at += sizeof(*ret);
		n -= sizeof(*ret);
	}
	if (report_decode(at, n, ret, err) < 0)
		return -1;
	if (ret->flags & FOLLOWED)
		return err_set(err, ERR_INVALID, "crossarch-prepare ended before its last report");
	return 0;
}

int report_write(int fd, const struct report *r, struct err *err)
{
	if (fd_write_all(fd, r, sizeof(*r)) < 0)
		return err_sys(err, ERR_IO, "write report");
	return 0;
}

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int report_send(int fd, const struct report *r, int passed, struct err *err)
{
	struct iovec io = { (void *)(uintptr_t)r, sizeof(*r) };
	union control control = { .bytes = { 0 } };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n;

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &passed, sizeof(int));
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*r))
		return 0;
	return err_sys(err, ERR_IO, "send report");
}

ssize_t report_receive(int fd, void *bytes, size_t n, int *passed)
{
	struct iovec io = { bytes, n };
	union control control = { .bytes = { 0 } };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = passed ? control.bytes : NULL,
			    .msg_controllen = passed ? CMSG_LEN(sizeof(int)) : 0 };
	/* Room for one and no more: what else is sent is closed by the kernel. */
	ssize_t got = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = got > 0 && passed ? CMSG_FIRSTHDR(&m) : NULL;
	int came;

	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return got;
	memcpy(&came, CMSG_DATA(c), sizeof(came));
	fd_close(passed);
	*passed = came;
	return got;
}
