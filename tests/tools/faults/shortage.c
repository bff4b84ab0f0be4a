/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/faults/scene.h"

/* What a peer may have too much of, and what the node may have too little of. */

/* --- calls that wait ------------------------------------------------------------------------- */

#define WAITS 5000

/* Other calls go on being answered on the same connection, and in the end all of them are. */
int thousands_wait(struct scene *s, struct err *err)
{
	struct peer *peer = &s->stage->pod.peer;
	static uint32_t streams[WAITS];

	if (scene_boot(s, sleep_words, err) < 0 || box_create(&s->box, err) < 0 ||
	    box_start(&s->box, err) < 0)
		return -1;
	for (size_t i = 0; i < WAITS; i++)
		if (box_send(&s->box, "Wait", "", &streams[i], err) < 0)
			return -1;
	if (box_runs(&s->box, err) < 0 || box_runs(&s->stage->sibling, err) < 0 ||
	    box_kill(&s->box, err) < 0)
		return -1;
	for (size_t i = 0; i < WAITS; i++)
		if (peer_wait(peer, streams[i], RPC_BOUND_MS, NULL, err) < 0)
			return err_in(err, "Wait %zu", i);
	return box_delete(&s->box, "", err);
}

/* --- descriptors ----------------------------------------------------------------------------- */

/* What a shim may do in half a second in which there is nothing to do. */
#define IDLE_CALLS_MAX 200

static int must_be_idle(pid_t shim, struct err *err)
{
	const struct fault count = { .role = ROLE_SELF, .action = ACT_KILL };
	struct trace t = { .tracer = 0 };
	struct traced seen;

	if (trace_begin(&t, shim, &count, err) < 0)
		return -1;
	pause_ms(500);
	trace_end(&t, &seen);
	if (seen.steps[ACT_KILL] <= IDLE_CALLS_MAX)
		return 0;
	return err_set(err, ERR_LIMIT, "%u system calls in half a second of waiting",
		       seen.steps[ACT_KILL]);
}

static int limit_files(pid_t pid, rlim_t soft, struct rlimit *ret_old, struct err *err)
{
	struct rlimit limit;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, ret_old) == 0) {
		limit = (struct rlimit){ soft, ret_old->rlim_max };
		if (prlimit(pid, RLIMIT_NOFILE, &limit, NULL) == 0)
			return 0;
	}
	return err_sys(err, ERR_IO, "limit the descriptors of process %d", (int)pid);
}

static int ask_by(struct peer *peer, const struct box *b, struct err *err)
{
	Crossarch__ProcessRequest request = CROSSARCH__PROCESS_REQUEST__INIT;

	request.id = (char *)(uintptr_t)b->id;
	return peer_ask(peer, "State", &request.base, NULL, err);
}

/* Who connects meanwhile waits, the shim does not spin, and serves it as soon as it can. */
int no_descriptors(struct scene *s, struct err *err)
{
	struct pod *pod = &s->stage->pod;
	struct rlimit old, ignored;
	struct peer late;
	int rc;

	if (scene_boot(s, sleep_words, err) < 0 || limit_files(pod->shim, 1, &old, err) < 0)
		return -1;
	rc = peer_open(pod->socket, &late, err);
	if (rc == 0)
		rc = must_be_idle(pod->shim, err);
	if (rc == 0)
		rc = box_runs(&s->stage->sibling, err);
	if (limit_files(pod->shim, old.rlim_cur, &ignored, err) < 0)
		return -1;
	if (rc == 0)
		rc = ask_by(&late, &s->stage->sibling, err);
	peer_close(&late);
	return rc;
}

/* The loss of its terminal does not end it. */
static const char *const stubborn_words[] = { "/bin/sh", "-c", "trap '' HUP; sleep 0.2", NULL };

/* So many more descriptors than an idle shim has are enough for an exec with a terminal. */
#define TERMINAL_FILES 64

static int exec_with_few(struct scene *s, unsigned int more, bool *ret_ran, struct err *err)
{
	struct pod *pod = s->box.pod;
	struct rlimit old, ignored;
	char id[16];
	int rc;

	str_fmt(id, sizeof(id), "t-%u", more);
	if (limit_files(pod->shim, s->stage->idle.descriptors + more, &old, err) < 0)
		return -1;
	rc = box_exec_twice(&s->box, id, stubborn_words, err);
	*ret_ran = rc == 0;
	if (limit_files(pod->shim, old.rlim_cur, &ignored, err) < 0)
		return -1;
	return *ret_ran ? box_delete(&s->box, id, err) : must_fail(rc, id, err);
}

/* What the shim needs while it starts the engine, one more each time. */
static int start_with_few(struct scene *s, struct err *err)
{
	unsigned int failed = 0;
	bool ran = false;

	for (unsigned int more = 0; more < TERMINAL_FILES && !ran; more++) {
		if (exec_with_few(s, more, &ran, err) < 0 || box_runs(&s->stage->sibling, err) < 0)
			return -1;
		failed += !ran;
	}
	if (ran && failed >= 3)
		return 0;
	return err_set(err, ERR_INVALID, "%u execs failed, and %s ran", failed,
		       ran ? "then one" : "none");
}

/* The engine is through, the process runs, and its terminal cannot be taken. */
static int take_with_none(struct scene *s, struct err *err)
{
	const struct fault f = {
		.role = ROLE_SELF, .action = ACT_EMFILE, .call = SYS_accept4, .step = 1
	};
	struct trace t = { .tracer = 0 };
	struct traced seen;
	int rc;

	if (trace_begin(&t, s->box.pod->shim, &f, err) < 0)
		return -1;
	rc = box_exec_twice(&s->box, "taken", stubborn_words, err);
	trace_end(&t, &seen);
	if (!seen.fired)
		return err_set(err, ERR_INVALID, "no terminal was to be taken");
	return must_fail(rc, "exec without a terminal", err);
}

/* The exec fails whole, may be started again, and is in nobody's way. */
int no_descriptors_for_terminals(struct scene *s, struct err *err)
{
	if (scene_boot(s, sleep_words, err) < 0 || box_create(&s->box, err) < 0 ||
	    box_start(&s->box, err) < 0)
		return -1;
	s->box.exec_terminal = true;
	return start_with_few(s, err) < 0 || take_with_none(s, err) < 0 ? -1 : 0;
}

/* --- memory of the kernel for what is watched ------------------------------------------------- */

#define LOUD_BYTES (4u << 20)
static const char *const twice_loud_words[] = {
	"/bin/sh", "-c",
	"dd if=/dev/zero bs=1024 count=2048; sleep 2; dd if=/dev/zero bs=1024 count=2048", NULL
};

/* Reads until there is so much in all, or @enough says so. */
static int read_up_to(int fd, size_t *got, size_t wanted, const volatile bool *enough,
		      struct err *err)
{
	uint64_t until = now_ms() + RPC_BOUND_MS;
	char block[4096];

	while (*got < wanted && now_ms() < until && !(enough && *enough)) {
		ssize_t n = read(fd, block, sizeof(block));

		if (n < 0 && errno != EAGAIN)
			return err_sys(err, ERR_IO, "read the output");
		if (n > 0)
			*got += (size_t)n;
		else
			pause_ms(2);
	}
	if (*got == wanted || (enough && *enough))
		return 0;
	return err_set(err, ERR_TIMEOUT, "%zu of %zu bytes of output", *got, wanted);
}

/* Nobody has read anything yet, so that the shim waits for room; now it will wait for more. */
static int starve(struct scene *s, int reader, size_t *got, struct err *err)
{
	const struct fault f = { .role = ROLE_SELF,
				 .action = ACT_ENOMEM,
				 .call = SYS_epoll_ctl,
				 .step = 1,
				 .lasting = true };
	struct trace t = { .tracer = 0 };
	struct traced seen;
	int rc;

	pause_ms(300);
	if (trace_begin(&t, s->box.pod->shim, &f, err) < 0)
		return -1;
	rc = read_up_to(reader, got, LOUD_BYTES, &t.seen->fired, err);
	trace_end(&t, &seen);
	if (rc == 0 && !seen.fired)
		return err_set(err, ERR_INVALID, "nothing was to be watched");
	return rc;
}

/* The stream that could not be watched any more goes on when it can. */
int no_watches(struct scene *s, struct err *err)
{
	CLEANUP_FD int reader = -1;
	size_t got = 0;

	if (scene_boot(s, twice_loud_words, err) < 0 || scene_fifo(s, err) < 0)
		return -1;
	reader = open(s->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (reader < 0)
		return err_sys(err, ERR_IO, "open %s", s->path);
	if (box_create(&s->box, err) < 0 || box_start(&s->box, err) < 0 ||
	    starve(s, reader, &got, err) < 0 ||
	    read_up_to(reader, &got, LOUD_BYTES, NULL, err) < 0 || box_kill(&s->box, err) < 0)
		return -1;
	return box_delete(&s->box, "", err);
}
