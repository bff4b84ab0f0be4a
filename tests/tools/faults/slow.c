/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/faults/bundle.h"
#include "tests/tools/faults/scene.h"

/* What takes long, or for ever, in the kernel. */

static int run(struct scene *s, struct err *err)
{
	return box_create(&s->box, err) < 0 || box_start(&s->box, err) < 0 ? -1 : 0;
}

/* --- an umount ------------------------------------------------------------------------------- */

/* Each Delete fails by its deadline; the one process that unmounts stays the same. */
static int delete_meanwhile(struct scene *s, const struct trace *t, struct err *err)
{
	uint64_t until = now_ms() + s->hold_ms;
	unsigned int tries = 0;
	pid_t first = 0;

	while (tries++ < 2 || now_ms() < until) {
		if (must_fail(box_delete(&s->box, "", err), "Delete while it is unmounted", err) <
			    0 ||
		    box_runs(&s->stage->sibling, err) < 0)
			return -1;
		if (!first)
			first = t->seen->held;
		if (!first || t->seen->held != first || kill(first, 0) < 0)
			return err_set(err, ERR_PRECONDITION,
				       "process %d unmounts, and before it %d did",
				       (int)t->seen->held, (int)first);
	}
	return 0;
}

int slow_unmount(struct scene *s, struct err *err)
{
	const struct fault f = { .role = ROLE_FORK, .action = ACT_HOLD, .call = SYS_umount2 };
	struct trace t = { .tracer = 0 };
	struct traced seen;
	int rc;

	if (scene_boot(s, sleep_words, err) < 0 || run(s, err) < 0 || box_kill(&s->box, err) < 0 ||
	    trace_begin(&t, s->box.pod->shim, &f, err) < 0)
		return -1;
	s->box.bound_ms = PATIENCE_MS;
	rc = delete_meanwhile(s, &t, err);
	s->box.bound_ms = 0;
	trace_end(&t, &seen); /* it goes on */
	return rc < 0 ? -1 : box_delete(&s->box, "", err);
}

/* --- a volume -------------------------------------------------------------------------------- */

/* The check of an exec hangs where nobody can kill it; the container ends all the same. */
static int end_beside_exec(struct scene *s, struct err *err)
{
	static const char *const words[] = { "/volume/program", NULL };
	struct box *b = &s->box;
	uint32_t stream;

	if (run(s, err) < 0)
		return -1;
	b->maybe |= EV_EXEC_ADDED;
	if (box_send_exec(b, "e", words, &stream, err) < 0 ||
	    peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, NULL, err) < 0 ||
	    box_send(b, "Start", "e", &stream, err) < 0)
		return -1;
	if (peer_wait(&b->pod->peer, stream, PATIENCE_MS, NULL, err) == 0 ||
	    err->code != ERR_TIMEOUT)
		return err_set(err, ERR_INVALID, "the check did not hang");
	if (box_kill(b, err) < 0 || box_delete(b, "", err) < 0)
		return -1;
	return must_fail(peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, NULL, err), "exec", err);
}

int volume_hangs(struct scene *s, struct err *err)
{
	char dir[PATH_MAX];
	pid_t daemon = 0;
	int rc;

	str_fmt(dir, sizeof(dir), "%s/volume", s->stage->w->dir);
	if (scene_boot(s, sleep_words, err) < 0)
		return -1;
	rc = fuse_mount(dir, &daemon, err);
	if (rc < 0 && err->code == ERR_UNSUPPORTED) {
		printf("# no FUSE here: %s\n", err->text);
		return 0;
	}
	s->box.volume = dir;
	if (rc == 0)
		rc = bundle_make(&s->box, sleep_words, err);
	if (rc == 0)
		rc = end_beside_exec(s, err);
	s->box.volume = NULL;
	fuse_unmount(dir, daemon);
	return rc;
}

/* --- delete ---------------------------------------------------------------------------------- */

/* containerd gives `delete` five seconds, whatever hangs. */
#define DELETE_BOUND_MS 5000

static int timed_delete(struct box *b, struct err *err)
{
	uint64_t begin = now_ms();

	if (box_clean(b, NULL, NULL, err) < 0)
		return -1;
	if (now_ms() - begin > DELETE_BOUND_MS)
		return err_set(err, ERR_TIMEOUT, "delete took %u ms",
			       (unsigned int)(now_ms() - begin));
	return 0;
}

static void kill_shim(struct pod *pod)
{
	kill(pod->shim, SIGKILL);
	while (pod_alive(pod))
		pause_ms(2);
}

/* The shim was killed, the engine hangs, and somebody is in the root file system. */
static int delete_held_up(struct scene *s, struct err *err)
{
	CLEANUP_FD int inside = -1;
	int rc;

	if (hanging_engine(s, "delete", false, err) < 0 || run(s, err) < 0)
		return -1;
	str_fmt(s->path, sizeof(s->path), "%s/rootfs/bin", s->box.bundle);
	inside = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (inside < 0)
		return err_sys(err, ERR_IO, "open %s", s->path);
	kill_shim(s->box.pod);
	rc = timed_delete(&s->box, err);
	engine_released(s);
	fd_close(&inside);
	return rc < 0 ? -1 : timed_delete(&s->box, err);
}

/* There is time for another engine, and nobody comes again. */
static int delete_hung_once(struct scene *s, struct err *err)
{
	if (hanging_engine(s, "delete", true, err) < 0 || run(s, err) < 0)
		return -1;
	kill_shim(s->box.pod);
	return timed_delete(&s->box, err);
}

/* In a pod of its own, whose shim is killed. */
static int in_own_pod(struct scene *s, scene_run *what, struct err *err)
{
	struct stage other = { .w = s->stage->w, .serial = 1000, .beside = s->stage->pod.shim };
	struct scene own = { .stage = &other };
	int rc;

	if (stage_up(&other, err) < 0 || scene_boot(&own, sleep_words, err) < 0)
		return -1;
	rc = what(&own, err);
	if (rc == 0)
		rc = left_by_box(&own.box, err);
	box_remove(&own.box);
	if (stage_down(&other, err) < 0 || rc < 0)
		return -1;
	return scene_boot(s, sleep_words, err);
}

int delete_is_bounded(struct scene *s, struct err *err)
{
	return in_own_pod(s, delete_held_up, err);
}

int delete_tries_again(struct scene *s, struct err *err)
{
	return in_own_pod(s, delete_hung_once, err);
}
