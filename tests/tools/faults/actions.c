/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "proto/options.pb-c.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/faults/actions.h"

/* `start` and `delete`, as containerd runs them. */

void options_pack(const struct box *b, struct options *ret)
{
	Crossarch__RuncOptions o = CROSSARCH__RUNC_OPTIONS__INIT;
	char root[300];

	str_fmt(root, sizeof(root), "%s/engine", b->pod->w->dir);
	o.binary_name = (char *)(uintptr_t)(b->engine ? b->engine : b->pod->w->engine);
	o.root = root;
	ASSERT(crossarch__runc_options__get_packed_size(&o) <= sizeof(ret->bytes));
	crossarch__any__init(&ret->any);
	ret->any.type_url = (char *)(uintptr_t) "containerd.runc.v1.Options";
	ret->any.value.data = ret->bytes;
	ret->any.value.len = crossarch__runc_options__pack(&o, ret->bytes);
}

static int options_fd(const struct box *b)
{
	struct options o;
	uint8_t bytes[1024];
	size_t n;
	int fd;

	options_pack(b, &o);
	n = crossarch__any__pack(&o.any, bytes);
	fd = memfd_create("options", MFD_CLOEXEC);
	ASSERT(fd >= 0 && fd_write_all(fd, bytes, n) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void become(const struct box *b, const char *action, int gate, int in, int out)
{
	const struct world *w = b->pod->w;
	const char *const argv[] = { w->shim,		"-namespace", w->ns, "-address", w->grpc,
				     "-publish-binary", "/bin/false", "-id", b->id,	 "-bundle",
				     b->bundle,		action,	      NULL };
	char byte;

	setpgid(0, 0);
	if (read(gate, &byte, 1) != 1 || chdir(b->bundle) < 0 || dup2(in, 0) < 0 ||
	    dup2(out, 1) < 0 || dup2(out, 2) < 0 || setenv("TTRPC_ADDRESS", w->events, 1) < 0)
		_exit(126);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/*
 * Everything that ends meanwhile is reaped, as the machine's init would: a container's pid
 * namespace ends only when what a killed shim left of its execs has been. True when @pid is among
 * it.
 */
static bool reap(struct pod *pod, pid_t pid, int *status)
{
	bool ended = false;
	pid_t one;
	int how;

	while ((one = waitpid(-1, &how, WNOHANG)) > 0) {
		if (one == pid)
			*status = how;
		if (one == pod->shim)
			pod->shim = 0;
		ended = ended || one == pid;
	}
	return ended;
}

/* To its end, or for @bound_ms; then it is killed. */
static int collect(struct pod *pod, pid_t pid, int fd, struct buf *out, unsigned int bound_ms,
		   struct err *err)
{
	uint64_t until = now_ms() + bound_ms;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool ended = false, late = false;
	char block[1024];
	int status = 0;

	while (!ended && !late) {
		ssize_t n = poll(&p, 1, 5) == 1 ? read(fd, block, sizeof(block)) : 0;

		if (n > 0 && buf_add(out, block, (size_t)n, err) < 0)
			return -1;
		if (n <= 0)
			ended = reap(pod, pid, &status);
		if (n <= 0 && !ended)
			pause_ms(1);
		late = now_ms() >= until;
	}
	for (ssize_t n; (n = read(fd, block, sizeof(block))) > 0;)
		if (buf_add(out, block, (size_t)n, err) < 0)
			return -1;
	if (!ended) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_set(err, ERR_TIMEOUT, "did not end in %u ms", bound_ms);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(err, ERR_PRECONDITION, "ended with wait status 0x%x: \"%.300s\"",
			       status, buf_str(out));
	return 0;
}

int action_run(struct box *b, const char *action, struct trace *t, const struct fault *f,
	       struct buf *out, struct err *err)
{
	CLEANUP_FD int in = options_fd(b);
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	CLEANUP_FD int gate_r = -1;
	CLEANUP_FD int gate_w = -1;
	int rc = 0;
	pid_t pid;

	if (fd_pipe(&r, &w, 0, err) < 0 || fcntl(r, F_SETFL, O_NONBLOCK) < 0 ||
	    fd_pipe(&gate_r, &gate_w, 0, err) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become(b, action, gate_r, in, w);
	if (pid < 0)
		return err_sys(err, ERR_IO, "fork");
	fd_close(&w);
	if (t)
		rc = trace_begin(t, pid, f, err);
	if (rc == 0 && write(gate_w, "", 1) != 1)
		rc = err_sys(err, ERR_IO, "open the gate");
	fd_close(&gate_w);
	if (rc < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -1;
	}
	return collect(b->pod, pid, r, out, ACTION_BOUND_MS, err) < 0 ? err_in(err, "%s", action)
								      : 0;
}
