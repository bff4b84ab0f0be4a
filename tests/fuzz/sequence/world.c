/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/sequence/world.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"

/* --- telling --------------------------------------------------------------------------------- */

void tell(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	va_start(ap, fmt);
	printf("#   ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
}

static void show_log(const struct world *w)
{
	CLEANUP_BUF struct buf text = BUF_INIT(64u << 20);
	char path[128], *save = NULL;
	struct err err;

	(void)str_fmt(path, sizeof(path), "%s/log", w->dir);
	if (file_read(AT_FDCWD, path, &text, &err) < 0 || !text.len)
		return;
	for (char *line = strtok_r((char *)text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (w->verbose || !str_after(line, "time="))
			printf("#   | %s\n", line);
}

/* The shim is ended by PR_SET_PDEATHSIG, the others by the end of their connections. */
void wrong(const struct world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# wrong: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	if (w->shim > 0) {
		nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
		kill(w->shim, SIGKILL);
	}
	show_log(w);
	fflush(stdout);
	_exit(1);
}

/* splitmix64: small, and the same everywhere. */
uint64_t draw(struct world *w, uint64_t below)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (z ^ (z >> 31)) % below;
}

/* --- sockets --------------------------------------------------------------------------------- */

static void address(const struct world *w, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	ASSERT(str_fmt(ret->sun_path, sizeof(ret->sun_path), "%s/%s", w->dir, name));
}

static int listen_on(const struct world *w, const char *name, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;

	address(w, name, &a);
	unlink(a.sun_path);
	ASSERT(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 64) == 0);
	return fd;
}

void client_connect(struct world *w, int n)
{
	struct peer *p = &w->clients[n];
	struct sockaddr_un a;

	address(w, "shim.sock", &a);
	*p = (struct peer){ .in = BUF_INIT(1u << 20) };
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		wrong(w, "the shim cannot be reached");
}

/* --- the shim -------------------------------------------------------------------------------- */

static unsigned int count_descriptors(const struct world *w)
{
	char path[32];
	unsigned int n = 0;
	DIR *dir;

	(void)str_fmt(path, sizeof(path), "/proc/%d/fd", (int)w->shim);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static void say_what_is_missing(const struct world *w);
static void pump(struct world *w, int ms);

/* On each connection: what was asked on one of them may be read after the other's. */
static void probe(struct world *w)
{
	for (int i = 0; i < W_CLIENTS; i++) {
		probe_send(w, i);
		while (w->probe)
			pump(w, w->bound_ms);
	}
}

void shim_begin(struct world *w)
{
	int listening = listen_on(w, "shim.sock", SOCK_STREAM);

	fflush(stdout);
	w->shim = fork();
	ASSERT(w->shim >= 0);
	if (w->shim == 0)
		be_shim(w, listening);
	close(listening);
	for (int i = 0; i < W_CLIENTS; i++)
		client_connect(w, i);
	probe(w);
	w->descriptors = count_descriptors(w);
}

void shim_end(struct world *w)
{
	int status = -1;

	tell(w, "the shim ends");
	for (int i = 0; w->model.lingers && i < W_CLIENTS; i++) {
		fd_close(&w->clients[i].fd);
		buf_deinit(&w->clients[i].in);
	}
	for (int i = 0; i < W_CLIENTS; i++)
		while (w->clients[i].fd >= 0)
			pump(w, w->bound_ms);
	while (w->publisher.fd >= 0)
		pump(w, w->bound_ms);
	if (waitpid(w->shim, &status, 0) != w->shim || status)
		wrong(w, "the shim ended with wait status %d", status);
	w->shim = 0;
	w->model.ended = w->model.lingers = false;
	w->model.pod = (struct m_pod){ .holder = { .fd = -1 } };
	for (size_t i = 0; i < W_CALLS; i++)
		if (w->calls[i].open)
			wrong(w, "%s was never answered", rpc_name(w->calls[i].rpc));
}

static void make_bundles(const struct world *w)
{
	char path[128];

	(void)str_fmt(path, sizeof(path), "%s/b", w->dir);
	ASSERT(mkdir(path, 0700) == 0);
	for (int i = 0; i < M_TASKS; i++) {
		(void)str_fmt(path, sizeof(path), "%s/b/c%d", w->dir, i);
		ASSERT(mkdir(path, 0700) == 0);
	}
	(void)str_fmt(path, sizeof(path), "%s/b/pod", w->dir);
	ASSERT(mkdir(path, 0700) == 0);
}

void world_begin(struct world *w, const char *stub)
{
	static const char *const links[] = { "prepare", "engine", "crossarch-pause" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		(void)str_fmt(path, sizeof(path), "%s/%s", w->dir, links[i]);
		ASSERT(symlink(stub, path) == 0);
	}
	make_bundles(w);
	(void)str_fmt(path, sizeof(path), "%s/control", w->dir);
	ASSERT(setenv(STUB_SOCKET, path, 1) == 0);
	for (size_t i = 0; i < M_TASKS; i++)
		w->model.tasks[i].init.fd = -1;
	w->model.pod.holder.fd = -1;
	w->publisher.fd = -1;
	w->stream = 1;
	w->clock = mmap(NULL, sizeof(*w->clock), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	ASSERT(w->clock != MAP_FAILED);
	*w->clock = w->model.now = 1000 * M_SECOND;
	w->control = listen_on(w, "control", SOCK_SEQPACKET);
	w->events = listen_on(w, "events", SOCK_STREAM);
	shim_begin(w);
}

/* What is idle holds nothing: descriptors are back to what they were, but for the publisher's. */
void world_end(struct world *w)
{
	unsigned int now = count_descriptors(w);

	if (now > w->descriptors + 1)
		wrong(w, "an idle shim has %u descriptors, at its start %u", now, w->descriptors);
}

/* --- what arrives ---------------------------------------------------------------------------- */

struct watch {
	struct pollfd p[256];
	unsigned int n;
};

static void add(struct watch *all, int fd)
{
	ASSERT(all->n < ARRAY_SIZE(all->p));
	all->p[all->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static bool came(const struct watch *all, int fd)
{
	for (unsigned int i = 0; fd >= 0 && i < all->n; i++)
		if (all->p[i].fd == fd)
			return all->p[i].revents;
	return false;
}

/* What is told of a process that nobody here knows yet waits until it has said who it is. */
static bool awaits_process(const struct world *w)
{
	for (size_t i = 0; i < M_OPS; i++) {
		const struct m_run *r = &w->model.ops[i].runs[M_STEP];

		if (w->model.ops[i].used && r->wanted && str_eq(r->verb, "refused"))
			return true;
	}
	return false;
}

static void add_all(struct world *w, struct watch *all)
{
	bool hears = !awaits_process(w);

	add(all, w->control);
	add(all, w->events);
	add(all, hears ? w->publisher.fd : -1);
	for (int i = 0; i < W_CLIENTS; i++)
		add(all, hears ? w->clients[i].fd : -1);
	for (unsigned int i = 0; i < w->newcomers.n; i++)
		add(all, w->newcomers.v[i].fd);
	for (unsigned int i = 0; i < w->dying.n; i++)
		add(all, w->dying.v[i].fd);
	add(all, w->model.pod.holder.fd);
	for (size_t i = 0; i < M_OPS; i++)
		for (int k = 0; k < M_PARTS && w->model.ops[i].used; k++)
			add(all, w->model.ops[i].runs[k].fd);
}

static void accept_publisher(struct world *w)
{
	if (w->publisher.fd >= 0)
		wrong(w, "a second connection for events");
	w->publisher = (struct peer){ .in = BUF_INIT(1u << 20) };
	w->publisher.fd = accept4(w->events, NULL, NULL, SOCK_CLOEXEC);
}

static void look_at_runs(struct world *w, const struct watch *all)
{
	for (unsigned int i = w->dying.n; i-- > 0;)
		if (came(all, w->dying.v[i].fd))
			close(take_stray(&w->dying, i).fd);
	if (came(all, w->model.pod.holder.fd))
		wrong(w, "who holds the pod's namespaces was ended");
	for (size_t i = 0; i < M_OPS; i++) {
		const struct m_op *op = &w->model.ops[i];

		for (int k = 0; k < M_PARTS && op->used; k++)
			if (came(all, op->runs[k].fd))
				wrong(w, "the run of %s for %s %s was ended", op->runs[k].verb,
				      op->task->init.id, op->process->id);
	}
}

/* Waits for something, and takes what there is. */
static void pump(struct world *w, int ms)
{
	struct watch all = { .n = 0 };

	add_all(w, &all);
	if (poll(all.p, all.n, ms) <= 0) {
		if (ms)
			say_what_is_missing(w);
		if (ms)
			wrong(w, "nothing happened for %d s", w->bound_ms / 1000);
		return;
	}
	look_at_runs(w, &all);
	for (unsigned int i = w->newcomers.n; i-- > 0;)
		if (came(&all, w->newcomers.v[i].fd))
			newcomer_read(w, i);
	if (came(&all, w->control))
		add_stray(&w->newcomers, accept4(w->control, NULL, NULL, SOCK_CLOEXEC), 0);
	if (came(&all, w->publisher.fd))
		publisher_read(w);
	if (came(&all, w->events))
		accept_publisher(w);
	for (int i = 0; i < W_CLIENTS; i++)
		if (came(&all, w->clients[i].fd))
			client_read(w, i);
}

/* --- catching up ----------------------------------------------------------------------------- */

/* What was released is to be ended by the shim, or nobody's business. */
static void collect_released(struct world *w)
{
	for (unsigned int i = 0; i < w->model.n_released; i++) {
		const struct m_released *r = &w->model.released[i];

		add_stray(r->doomed ? &w->dying : &w->orphans, r->fd, r->pid);
	}
	w->model.n_released = 0;
}

/* What the shim has blocked is blocked in a process that it forked: all that a Kill may send. */
static bool is_blocked(const struct m_process *p, int sig)
{
	return p->refused && sig != SIGKILL;
}

static bool is_lethal(int sig)
{
	return sig && sig != SIGCHLD && sig != SIGCONT && sig != SIGWINCH && sig != SIGURG;
}

static bool end_signalled(struct world *w)
{
	bool any = false;

	for (size_t i = 0; i < M_TASKS; i++) {
		struct m_task *t = &w->model.tasks[i];

		for (size_t k = 0; k <= M_EXECS; k++) {
			struct m_process *p = k ? &t->execs[k - 1] : &t->init;
			int sig = p->signal;

			p->signal = 0;
			if (!t->used || !p->used || p->fd < 0 || !is_lethal(sig) ||
			    is_blocked(p, sig))
				continue;
			process_end(w, p, 128 + (uint32_t)sig);
			any = true;
		}
	}
	return any;
}

static const char *wanted_run(const struct world *w)
{
	if (w->model.pod.holder.wanted)
		return w->model.pod.holder.verb;
	for (size_t i = 0; i < M_OPS; i++)
		for (int k = 0; k < M_PARTS && w->model.ops[i].used; k++)
			if (w->model.ops[i].runs[k].wanted)
				return w->model.ops[i].runs[k].verb;
	return NULL;
}

static bool waits(const struct world *w)
{
	if (wanted_run(w))
		return true;
	for (size_t i = 0; i < W_CALLS; i++)
		if (w->calls[i].open && w->calls[i].due)
			return true;
	return w->model.n_events || w->dying.n || w->newcomers.n;
}

static void say_what_is_missing(const struct world *w)
{
	if (wanted_run(w))
		printf("# missing: a run of %s\n", wanted_run(w));
	for (size_t i = 0; i < W_CALLS; i++)
		if (w->calls[i].open && w->calls[i].due)
			printf("# missing: the answer to %s %s %s\n", rpc_name(w->calls[i].rpc),
			       w->calls[i].id, w->calls[i].exec);
	if (w->model.n_events)
		printf("# missing: %u events, first of kind %d\n", w->model.n_events,
		       (int)w->model.events[0].topic);
	if (w->dying.n)
		printf("# missing: the end of %u runs\n", w->dying.n);
}

static bool is_known(const struct world *w, pid_t pid)
{
	if (w->model.pod.holder.fd >= 0 && w->model.pod.holder.pid == pid)
		return true;
	for (size_t i = 0; i < M_OPS; i++)
		for (int k = 0; k < M_PARTS && w->model.ops[i].used; k++)
			if (w->model.ops[i].runs[k].fd >= 0 && w->model.ops[i].runs[k].pid == pid)
				return true;
	for (size_t i = 0; i < M_TASKS; i++) {
		const struct m_task *t = &w->model.tasks[i];

		for (size_t k = 0; k <= M_EXECS; k++) {
			const struct m_process *p = k ? &t->execs[k - 1] : &t->init;

			if (t->used && p->used && p->pid == pid && !p->exited)
				return true;
		}
	}
	for (unsigned int i = 0; i < w->orphans.n; i++)
		if (w->orphans.v[i].pid == pid)
			return true;
	return false;
}

/* While a process is being made, those that nobody knows are kept: one of them may be it. */
static bool keeps_unknown(const struct world *w)
{
	if (w->model.pod.state == M_POD_STARTING)
		return true;
	for (size_t i = 0; i < M_OPS; i++) {
		const struct m_op *op = &w->model.ops[i];

		if (op->used && op->engine_ran &&
		    (op->rpc == M_CREATE || (op->rpc == M_START && op->process != &op->task->init)))
			return true;
	}
	return false;
}

static bool is_zombie(pid_t pid)
{
	char path[32], state = 'Z';
	FILE *f;

	(void)str_fmt(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	if (f)
		fclose(f);
	return state == 'Z';
}

/*
 * A child of the shim that should not be there (any more), or 0. One that it knows and that has
 * ended is seen to before the next question is answered.
 */
static pid_t stranger(const struct world *w)
{
	bool kept = keeps_unknown(w);
	char path[64];
	FILE *f;
	int pid, found = 0;

	(void)str_fmt(path, sizeof(path), "/proc/%d/task/%d/children", (int)w->shim, (int)w->shim);
	f = fopen(path, "re");
	while (f && !found && fscanf(f, "%d", &pid) == 1)
		if (!is_known(w, pid) && !(kept && is_zombie(pid)))
			found = pid;
	if (f)
		fclose(f);
	return found;
}

static void await_children(struct world *w)
{
	pid_t pid = 0;

	for (int i = 0; i < w->bound_ms; i++) {
		pid = stranger(w);
		if (!pid)
			return;
		pump(w, 0);
		nanosleep(&(struct timespec){ .tv_nsec = i < 50 ? 100000 : 1000000 }, NULL);
	}
	wrong(w, "process %d of the shim is not ended or not reaped", (int)pid);
}

static void happen(struct world *w)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		collect_released(w);
		if (!waits(w))
			continue;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - begin.tv_sec > w->bound_ms / 1000) {
			say_what_is_missing(w);
			wrong(w, "what was to happen did not");
		}
		pump(w, w->bound_ms);
	} while (end_signalled(w) || waits(w));
}

void clock_move(struct world *w, uint64_t ns)
{
	tell(w, "%d s pass", (int)(ns / M_SECOND));
	model_time(&w->model, ns);
	model_settle(&w->model);
	collect_released(w);
	__atomic_store_n(w->clock, w->model.now, __ATOMIC_RELEASE);
}

void pass_time(struct world *w, uint64_t ns)
{
	clock_move(w, ns);
	probe(w); /* wakes the shim */
}

void catch_up(struct world *w)
{
	do {
		model_settle(&w->model);
	} while (end_signalled(w));
	happen(w);
	if (w->model.ended) {
		shim_end(w);
		shim_begin(w);
		return;
	}
	/*
	 * One thing may lead to the next: a run that ended to an unmounting. The list of children
	 * may also lack some while others go.
	 */
	for (int i = 0; i < 4; i++) {
		await_children(w);
		probe(w);
	}
	pump(w, 0);
}
