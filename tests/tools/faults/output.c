/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/faults/life.h"

/*
 * More output than pipe and FIFO hold, for a reader that begins late: the shim has to stop reading,
 * and to be told when it can go on.
 */
#define LATE_MS 50
#define WORDS_BYTES (3u << 20)
/* What is refused as long as the trace lasts is waited for so long. */
#define STARVED_MS 1000

static const char *const loud_words[] = { "/bin/dd", "if=/dev/zero", "bs=1024", "count=3072",
					  NULL };

static _Noreturn void read_late(const char *path, int result)
{
	int fd = open(path, O_RDONLY);
	static char block[65536];
	uint64_t sum = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pause_ms(LATE_MS);
	for (ssize_t n; (n = read(fd, block, sizeof(block))) > 0;)
		sum += (uint64_t)n;
	_exit(write(result, &sum, sizeof(sum)) != sizeof(sum));
}

/* @ret_result gets the number of bytes, or its end when the reader is gone. */
static int start_reader(const char *path, int *ret_result, pid_t *ret, struct err *err)
{
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;

	if (mkfifo(path, 0600) < 0)
		return err_sys(err, ERR_IO, "make %s", path);
	if (fd_pipe(&r, &w, 0, err) < 0)
		return -1;
	*ret = fork();
	if (*ret == 0)
		read_late(path, w);
	if (*ret < 0)
		return err_sys(err, ERR_IO, "fork");
	*ret_result = fd_steal(&r);
	return 0;
}

/* An error of a read or write may cost output; only being told late may not. */
static bool must_be_whole(const struct life *l)
{
	return !l->seen.fired || str_eq(l->seen.call, "epoll_ctl");
}

/* The reader's word, when the last writer has closed its end. */
static int result_of(const struct life *l, int fd, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t sum = 0;

	if (poll(&p, 1, RPC_BOUND_MS) != 1 || read(fd, &sum, sizeof(sum)) != sizeof(sum))
		return err_set(err, ERR_TIMEOUT, "the output has no end");
	if (sum != WORDS_BYTES && must_be_whole(l))
		return err_set(err, ERR_TIMEOUT, "%llu of %u bytes of output",
			       (unsigned long long)sum, WORDS_BYTES);
	return 0;
}

static int wait_for_end(struct life *l, struct err *err)
{
	struct box *b = &l->box;
	uint32_t stream;

	if (box_ask(b, "Start", "o", NULL, err) < 0)
		return -1;
	b->wanted |= EV_EXEC_STARTED | EV_EXEC_EXIT;
	if (box_send(b, "Wait", "o", &stream, err) < 0)
		return -1;
	if (peer_wait(&b->pod->peer, stream, STARVED_MS, NULL, err) == 0)
		return 0;
	if (err->code != ERR_TIMEOUT)
		return -1;
	trace_end(&l->trace, &l->seen);
	return peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, NULL, err);
}

static int run_exec(struct life *l, struct err *err)
{
	struct box *b = &l->box;
	uint32_t stream;

	b->maybe |= EV_EXEC_ADDED | EV_EXEC_STARTED | EV_EXEC_EXIT;
	if (box_send_exec(b, "o", loud_words, &stream, err) < 0 ||
	    peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, NULL, err) < 0)
		return err_in(err, "Exec");
	b->wanted |= EV_EXEC_ADDED;
	if (wait_for_end(l, err) < 0)
		return err_in(err, "exec");
	trace_end(&l->trace, &l->seen);
	return box_delete(b, "o", err);
}

int exec_with_output(struct life *l, struct err *err)
{
	CLEANUP_FD int result = -1;
	char path[300];
	pid_t reader = 0;
	int rc;

	str_fmt(path, sizeof(path), "%s/out", l->box.bundle);
	if (start_reader(path, &result, &reader, err) < 0)
		return -1;
	l->box.exec_out = path;
	rc = run_exec(l, err);
	l->box.exec_out = NULL;
	if (rc == 0)
		return result_of(l, result, err);
	kill(reader, SIGKILL); /* nobody may ever have opened the other end */
	return -1;
}
