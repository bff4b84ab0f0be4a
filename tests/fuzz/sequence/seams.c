/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/host/private_emulators.h"
#include "shim/host/unmount.h"
#include "shim/task/exit.h"
#include "shim/task/service.h"
#include "tests/fuzz/sequence/world.h"

/*
 * Where the linker puts our functions into the shim (--wrap): the unmounting and the processes of
 * refused execs end when the fuzzer wants, and time passes when it says so. Deadlines are then as
 * exact as anything else.
 */
static const uint64_t *shim_clock;

/* The names are the linker's. */
int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_bundle_unmount(void *bundle);
bool __wrap_private_emulators_any(void);
int __real_child_fork(struct child *c, struct reaper *r, int (*run)(void *arg), void *arg,
		      void (*on_exit)(struct child *, const struct exit_status *), struct err *err);
int __wrap_child_fork(struct child *c, struct reaper *r, int (*run)(void *arg), void *arg,
		      void (*on_exit)(struct child *, const struct exit_status *), struct err *err);

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	uint64_t now;

	if (!shim_clock || id != CLOCK_MONOTONIC)
		return __real_clock_gettime(id, ret);
	now = __atomic_load_n(shim_clock, __ATOMIC_ACQUIRE);
	*ret = (struct timespec){ (time_t)(now / M_SECOND), (long)(now % M_SECOND) };
	return 0;
}

bool __wrap_private_emulators_any(void)
{
	return false;
}

/* In a forked child: it only makes system calls. With what it is to exit, where that is free. */
static int wait_order(const struct stub_hello *h)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct stub_order o = { .what = STUB_EXIT };

	(void)str_copy(to.sun_path, sizeof(to.sun_path), getenv(STUB_SOCKET));
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    send(fd, h, sizeof(*h), 0) < 0 || recv(fd, &o, STUB_ORDER_HEAD, 0) <= 0)
		return 121;
	if (o.what == STUB_KILL)
		kill(getpid(), o.number);
	return o.number;
}

int __wrap_bundle_unmount(void *bundle)
{
	struct stub_hello h = { .kind = STUB_STEP, .pid = getpid(), .verb = "unmount" };
	const char *name = strrchr(bundle, '/');

	(void)str_copy(h.container, sizeof(h.container), name ? name + 1 : "?");
	return wait_order(&h);
}

/* The process of an exec that was refused: it exits when it is told to, with what it exits. */
struct refused {
	const struct process *p;
	int (*run)(void *arg);
	void *arg;
};

static int be_refused(void *data)
{
	struct stub_hello h = { .kind = STUB_STEP, .pid = getpid(), .verb = "refused" };
	const struct refused *r = data;

	(void)str_copy(h.container, sizeof(h.container), r->p->task->id);
	(void)str_copy(h.exec, sizeof(h.exec), r->p->exec_id);
	(void)wait_order(&h);
	return r->run(r->arg);
}

int __wrap_child_fork(struct child *c, struct reaper *r, int (*run)(void *arg), void *arg,
		      void (*on_exit)(struct child *, const struct exit_status *), struct err *err)
{
	struct refused refused;

	if (on_exit != process_on_exit)
		return __real_child_fork(c, r, run, arg, on_exit, err);
	refused = (struct refused){ container_of(c, struct process, child), run, arg };
	return __real_child_fork(c, r, be_refused, &refused, on_exit, err);
}

static int serve(const struct world *w, int listening)
{
	char prepare[128], events[128], socket_path[128];
	struct service s = { .context = { .ns = "ns",
					  .grpc_address = "",
					  .cli_path = "",
					  .home = "",
					  .pod_files = "" } };
	struct loop loop;
	struct err err;
	int rc;

	(void)str_fmt(prepare, sizeof(prepare), "%s/prepare", w->dir);
	(void)str_fmt(events, sizeof(events), "%s/events", w->dir);
	(void)str_fmt(socket_path, sizeof(socket_path), "%s/shim.sock", w->dir);
	s.context.prepare_path = prepare;
	s.socket_path = socket_path;
	s.context.config_path = s.context.config_body = "";
	s.context.debug = w->verbose;
	s.context.nofile = (struct rlimit){ 1024, 1024 };
	log_set_level(w->verbose ? LOG_DEBUG : LOG_INFO);
	ASSERT(loop_init(&loop, &err) == 0);
	rc = service_run(&s, &loop, events, listening, &err);
	loop_deinit(&loop);
	return rc < 0;
}

void be_shim(const struct world *w, int listening)
{
	char log[128];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shim_clock = w->clock;
	(void)str_fmt(log, sizeof(log), "%s/log", w->dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	ASSERT(fd >= 0 && dup2(fd, 1) == 1 && dup2(fd, 2) == 2 && dup2(listening, 3) == 3);
	close_range(4, ~0u, 0);
	exit(serve(w, 3));
}
