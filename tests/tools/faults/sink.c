/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "proto/events.pb-c.h"
#include "runtime/base/str.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/server.h"
#include "tests/tools/faults/faults.h"

#define RECORDS_MAX (1u << 18)

struct record {
	enum happening what;
	char container[40], id[40];
	uint32_t pid, status;
};

/* Shared with the process that takes the events. */
struct sink {
	pid_t pid;
	_Atomic uint32_t n;
	_Atomic uint32_t unknown;
	struct record records[RECORDS_MAX];
};

/* --- the process ----------------------------------------------------------------------------- */

/* The container's id is the first field of them all, whatever follows. */
static int first_text(const ProtobufCBinaryData *b, char *ret, size_t size)
{
	if (b->len < 2 || b->data[0] != 0x0a || b->data[1] >= size || b->len < 2u + b->data[1])
		return -1;
	memcpy(ret, b->data + 2, b->data[1]);
	ret[b->data[1]] = '\0';
	return 0;
}

static int decode(const Crossarch__Envelope *e, struct record *r)
{
	ProtobufCAllocator *no = NULL;
	const ProtobufCBinaryData *b = &e->event->value;

	if (str_eq(e->topic, "/tasks/exit")) {
		Crossarch__TaskExit *m = crossarch__task_exit__unpack(no, b->len, b->data);

		if (!m)
			return -1;
		str_copy(r->container, sizeof(r->container), m->container_id);
		str_copy(r->id, sizeof(r->id), m->id);
		r->pid = m->pid;
		r->status = m->exit_status;
		r->what = str_eq(m->id, m->container_id) ? EV_EXIT : EV_EXEC_EXIT;
		crossarch__task_exit__free_unpacked(m, no);
	} else if (str_after(e->topic, "/tasks/exec-")) {
		Crossarch__TaskExec *m = crossarch__task_exec__unpack(no, b->len, b->data);

		if (!m)
			return -1;
		str_copy(r->container, sizeof(r->container), m->container_id);
		str_copy(r->id, sizeof(r->id), m->exec_id);
		r->what = str_ends(e->topic, "added") ? EV_EXEC_ADDED : EV_EXEC_STARTED;
		crossarch__task_exec__free_unpacked(m, no);
	} else {
		r->what = str_eq(e->topic, "/tasks/create")   ? EV_CREATE
			  : str_eq(e->topic, "/tasks/start")  ? EV_START
			  : str_eq(e->topic, "/tasks/delete") ? EV_DELETE
							      : 0;
		return first_text(b, r->container, sizeof(r->container));
	}
	return 0;
}

static void forward(void *owner, struct call *call)
{
	const Crossarch__ForwardRequest *request = call->request;
	struct sink *sink = owner;
	uint32_t n = sink->n;
	struct record *r = &sink->records[n % RECORDS_MAX];

	*r = (struct record){ .what = 0 };
	if (!request->envelope || !request->envelope->event || decode(request->envelope, r) < 0)
		sink->unknown++;
	else if (r->what)
		sink->n = n + 1;
	call_reply(call, NULL);
}

static const struct method methods[] = {
	{ "containerd.services.events.ttrpc.v1.Events", "Forward",
	  &crossarch__forward_request__descriptor, forward, false },
};

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || !str_copy(addr.sun_path, sizeof(addr.sun_path), path) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 128) < 0)
		return -1;
	return fd;
}

static void serve(struct sink *sink, int fd)
{
	struct server server;
	struct loop loop;
	struct err err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&loop, &err) == 0 &&
	    server_init(&server, &loop, fd, methods, ARRAY_SIZE(methods), sink, &err) == 0 &&
	    loop_run(&loop, &err) == 0)
		_exit(0);
	fprintf(stderr, "event sink: %s\n", err.text);
	_exit(1);
}

int sink_start(struct world *w, struct err *err)
{
	CLEANUP_FD int fd = -1;
	pid_t pid;

	unlink(w->events);
	fd = listen_at(w->events);
	if (fd < 0)
		return err_sys(err, ERR_IO, "listen at %s", w->events);
	pid = fork();
	if (pid == 0)
		serve(w->sink, fd_steal(&fd));
	w->sink->pid = pid; /* shared: only one of the two may write it */
	return pid < 0 ? err_sys(err, ERR_IO, "fork") : 0;
}

void sink_stop(struct world *w)
{
	unlink(w->events);
	if (w->sink->pid <= 0)
		return;
	kill(w->sink->pid, SIGKILL);
	waitpid(w->sink->pid, NULL, 0);
	w->sink->pid = 0;
}

int sink_new(struct world *w, struct err *err)
{
	w->sink = mmap(NULL, sizeof(*w->sink), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (w->sink == MAP_FAILED) {
		w->sink = NULL;
		return err_sys(err, ERR_IO, "memory for events");
	}
	return sink_start(w, err);
}

void sink_free(struct world *w)
{
	if (!w->sink)
		return;
	sink_stop(w);
	munmap(w->sink, sizeof(*w->sink));
	w->sink = NULL;
}

pid_t sink_pid(const struct world *w)
{
	return w->sink->pid;
}

uint32_t sink_count(const struct world *w)
{
	return w->sink->n;
}

/* --- what is checked -------------------------------------------------------------------------- */

static const struct record *record_at(const struct world *w, uint32_t i)
{
	return &w->sink->records[i % RECORDS_MAX];
}

static bool same(const struct record *a, const struct record *b)
{
	return a->what == b->what && str_eq(a->container, b->container) && str_eq(a->id, b->id);
}

static const char *name_of(enum happening what)
{
	switch (what) {
	case EV_CREATE:
		return "create";
	case EV_START:
		return "start";
	case EV_EXEC_ADDED:
		return "exec-added";
	case EV_EXEC_STARTED:
		return "exec-started";
	case EV_EXEC_EXIT:
		return "exit of an exec";
	case EV_EXIT:
		return "exit";
	case EV_DELETE:
		return "delete";
	}
	return "nothing";
}

/* What must not have come before @what, of the container or of the same exec. */
static unsigned int later_than(enum happening what)
{
	switch (what) {
	case EV_CREATE:
		return EV_START | EV_EXEC_ADDED | EV_EXEC_STARTED | EV_EXEC_EXIT | EV_EXIT |
		       EV_DELETE;
	case EV_START:
		return EV_EXEC_STARTED | EV_EXEC_EXIT | EV_EXIT | EV_DELETE;
	case EV_EXEC_ADDED:
	case EV_EXEC_STARTED:
	case EV_EXEC_EXIT:
		return EV_EXIT | EV_DELETE;
	case EV_EXIT:
		return EV_DELETE;
	case EV_DELETE:
		break;
	}
	return 0;
}

static bool exec_order_broken(const struct record *earlier, const struct record *r)
{
	return r->id[0] && r->what != EV_EXIT && earlier->what != EV_EXIT &&
	       str_eq(earlier->id, r->id) && earlier->what > r->what;
}

static int check_one(const struct world *w, uint32_t from, uint32_t at, struct err *err)
{
	const struct record *r = record_at(w, at);

	for (uint32_t i = from; i < at; i++) {
		const struct record *earlier = record_at(w, i);

		if (!str_eq(earlier->container, r->container))
			continue;
		if (same(earlier, r))
			return err_set(err, ERR_EXISTS, "%s: %s %s came twice", r->container,
				       name_of(r->what), r->id);
		if ((earlier->what & later_than(r->what)) || exec_order_broken(earlier, r))
			return err_set(err, ERR_INVALID, "%s: %s %s came after %s %s", r->container,
				       name_of(r->what), r->id, name_of(earlier->what),
				       earlier->id);
	}
	return 0;
}

static unsigned int arrived(const struct world *w, uint32_t from, const char *id)
{
	unsigned int seen = 0;

	for (uint32_t i = from; i < w->sink->n; i++)
		if (str_eq(record_at(w, i)->container, id))
			seen |= record_at(w, i)->what;
	return seen;
}

static int missing(unsigned int bits, const char *id, const char *how, struct err *err)
{
	for (unsigned int bit = 1; bit <= EV_DELETE; bit <<= 1)
		if (bits & bit)
			return err_set(err, ERR_NOT_FOUND, "%s: event %s %s", id,
				       name_of((enum happening)bit), how);
	return 0;
}

int sink_check(const struct world *w, uint32_t from, const char *id, unsigned int wanted,
	       unsigned int allowed, unsigned int bound_ms, struct err *err)
{
	uint64_t until = now_ms() + bound_ms;
	unsigned int seen;

	while ((wanted & ~(seen = arrived(w, from, id))) && now_ms() < until)
		pause_ms(2);
	if ((wanted & ~seen) && missing(wanted & ~seen, id, "is lost", err) < 0)
		return -1;
	if (missing(seen & ~(wanted | allowed), id, "was not expected", err) < 0)
		return -1;
	if (w->sink->unknown)
		return err_set(err, ERR_INVALID, "%u events do not decode", w->sink->unknown);
	for (uint32_t i = from; i < w->sink->n; i++)
		if (str_eq(record_at(w, i)->container, id) && check_one(w, from, i, err) < 0)
			return -1;
	return 0;
}
