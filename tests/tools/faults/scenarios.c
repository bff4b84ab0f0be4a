/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/faults/scene.h"

/*
 * What does not fail but hangs: the engine, a reader, a logging driver, a mount, containerd's end
 * for events. After each the same checks as after an injected fault.
 */

const char *const sleep_words[] = { "/bin/sleep", "100000", NULL };
const char *const true_words[] = { "/bin/true", NULL };
const char *const loud_words[] = { "/bin/dd", "if=/dev/zero", "bs=1024", "count=1024", NULL };

int must_fail(int rc, const char *what, struct err *err)
{
	if (rc == 0)
		return err_set(err, ERR_INVALID, "%s succeeded", what);
	return err->code == ERR_PRECONDITION ? 0 : err_in(err, "%s", what);
}

static int script(struct scene *s, const char *name, const char *text, struct err *err)
{
	/* Not in the bundle: an engine there is refused. */
	str_fmt(s->path, sizeof(s->path), "%s/script-%s", s->box.pod->w->dir, name);
	return file_replace(AT_FDCWD, s->path, 0755, text, strlen(text), err);
}

static int create_fails(struct scene *s, unsigned int bound_ms, struct err *err)
{
	uint32_t stream;
	int rc;

	if (box_send_create(&s->box, bound_ms, &stream, err) < 0)
		return -1;
	rc = peer_wait(&s->box.pod->peer, stream, RPC_BOUND_MS, NULL, err);
	return must_fail(rc, "Create", err);
}

int scene_boot(struct scene *s, const char *const *words, struct err *err)
{
	if (box_make(&s->stage->pod, "hung", words, &s->box, err) < 0)
		return -1;
	return box_boot(&s->box, NULL, NULL, err);
}

/* --- the engine ------------------------------------------------------------------------------- */

int hanging_engine(struct scene *s, const char *verb, bool once, struct err *err)
{
	char text[1000], hang[300];

	str_fmt(hang, sizeof(hang), "%s/hang", s->box.bundle);
	str_fmt(text, sizeof(text),
		"#!/bin/sh\ncase \" $* \" in *' %s '*) [ ! -e %s ] || { %s %s; exec sleep 1000; } "
		";; esac\nexec %s \"$@\"\n",
		verb, hang, once ? "rm -f" : ":", hang, s->box.pod->w->engine);
	s->box.engine = s->path;
	return script(s, "engine", text, err) < 0 ? -1
						  : file_replace(AT_FDCWD, hang, 0600, "", 0, err);
}

void engine_released(const struct scene *s)
{
	char hang[300];

	str_fmt(hang, sizeof(hang), "%s/hang", s->box.bundle);
	unlink(hang);
}

static int engine_create(struct scene *s, struct err *err)
{
	if (scene_boot(s, sleep_words, err) < 0 || hanging_engine(s, "create", false, err) < 0)
		return -1;
	return create_fails(s, PATIENCE_MS, err);
}

static int engine_start(struct scene *s, struct err *err)
{
	if (scene_boot(s, sleep_words, err) < 0 || hanging_engine(s, "start", false, err) < 0 ||
	    box_create(&s->box, err) < 0)
		return -1;
	s->box.bound_ms = PATIENCE_MS;
	return must_fail(box_start(&s->box, err), "Start", err);
}

static int engine_exec(struct scene *s, struct err *err)
{
	int rc;

	if (scene_boot(s, sleep_words, err) < 0 || hanging_engine(s, "exec", false, err) < 0 ||
	    box_create(&s->box, err) < 0 || box_start(&s->box, err) < 0)
		return -1;
	s->box.bound_ms = PATIENCE_MS;
	rc = must_fail(box_exec(&s->box, "e", true_words, err), "exec", err);
	s->box.bound_ms = 0;
	return rc < 0 ? -1 : box_delete(&s->box, "e", err);
}

static int engine_delete(struct scene *s, struct err *err)
{
	int rc;

	if (scene_boot(s, sleep_words, err) < 0 || hanging_engine(s, "delete", false, err) < 0 ||
	    box_create(&s->box, err) < 0 || box_start(&s->box, err) < 0 ||
	    box_kill(&s->box, err) < 0)
		return -1;
	s->box.bound_ms = PATIENCE_MS;
	rc = must_fail(box_delete(&s->box, "", err), "Delete", err);
	s->box.bound_ms = 0;
	engine_released(s);
	return rc;
}

/* --- streams ---------------------------------------------------------------------------------- */

int scene_fifo(struct scene *s, struct err *err)
{
	str_fmt(s->path, sizeof(s->path), "%s/out", s->box.bundle);
	s->box.out = s->path;
	return mkfifo(s->path, 0600) < 0 ? err_sys(err, ERR_IO, "make %s", s->path) : 0;
}

/* Open for reading, and never read: a megabyte waits in the container. */
static int reader_hangs(struct scene *s, struct err *err)
{
	CLEANUP_FD int reader = -1;

	if (scene_boot(s, loud_words, err) < 0 || scene_fifo(s, err) < 0)
		return -1;
	reader = open(s->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (reader < 0 || box_create(&s->box, err) < 0 || box_start(&s->box, err) < 0)
		return -1;
	pause_ms(300);
	if (box_kill(&s->box, err) < 0)
		return -1;
	return box_delete(&s->box, "", err);
}

static int reader_never_comes(struct scene *s, struct err *err)
{
	if (scene_boot(s, true_words, err) < 0 || scene_fifo(s, err) < 0)
		return -1;
	return create_fails(s, PATIENCE_MS, err);
}

static int driver_never_ready(struct scene *s, struct err *err)
{
	char uri[320];

	if (scene_boot(s, true_words, err) < 0 ||
	    script(s, "driver", "#!/bin/sh\nexec sleep 1000\n", err) < 0)
		return -1;
	str_fmt(uri, sizeof(uri), "binary://%s", s->path);
	s->box.out = uri;
	if (create_fails(s, 0, err) < 0)
		return -1;
	s->box.out = NULL;
	return 0;
}

/* --- the mount, and events -------------------------------------------------------------------- */

static int busy_rootfs(struct scene *s, struct err *err)
{
	uint64_t until = now_ms() + s->hold_ms;
	CLEANUP_FD int inside = -1;
	unsigned int tries = 0;

	if (scene_boot(s, sleep_words, err) < 0 || box_create(&s->box, err) < 0 ||
	    box_start(&s->box, err) < 0)
		return -1;
	str_fmt(s->path, sizeof(s->path), "%s/rootfs/bin", s->box.bundle);
	inside = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (inside < 0)
		return err_sys(err, ERR_IO, "open %s", s->path);
	if (box_kill(&s->box, err) < 0)
		return -1;
	while (tries++ == 0 || now_ms() < until)
		if (must_fail(box_delete(&s->box, "", err), "Delete of a busy root", err) < 0 ||
		    box_runs(&s->stage->sibling, err) < 0)
			return -1;
	fd_close(&inside);
	return box_delete(&s->box, "", err);
}

/* Three lives that nobody is told of, until the socket is there again. */
static int events_gone(struct scene *s, struct err *err)
{
	struct world *w = s->stage->w;
	const uint32_t from = sink_count(w);
	const unsigned int whole = EV_CREATE | EV_START | EV_EXIT | EV_DELETE;
	static const char *const ids[] = { "unseen-1", "unseen-2", "unseen-3" };
	uint64_t until = now_ms() + s->hold_ms;
	struct box b;

	sink_stop(w);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		if (box_make(&s->stage->pod, ids[i], sleep_words, &b, err) < 0 ||
		    box_boot(&b, NULL, NULL, err) < 0 || box_create(&b, err) < 0 ||
		    box_start(&b, err) < 0 || box_kill(&b, err) < 0 ||
		    box_delete(&b, "", err) < 0 || box_clean(&b, NULL, NULL, err) < 0)
			return -1;
		box_remove(&b);
	}
	while (now_ms() < until)
		pause_ms(50);
	if (sink_start(w, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (sink_check(w, from, ids[i], whole, 0, 15000, err) < 0)
			return -1;
	return scene_boot(s, sleep_words, err);
}

/* --- all
 * ------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	scene_run *run;
} scenes[] = {
	{ "the engine hangs in create", engine_create },
	{ "the engine hangs in start", engine_start },
	{ "the engine hangs in exec", engine_exec },
	{ "the engine hangs in delete", engine_delete },
	{ "nobody reads the output", reader_hangs },
	{ "nobody opens the output", reader_never_comes },
	{ "the logging driver is never ready", driver_never_ready },
	{ "the root file system is busy", busy_rootfs },
	{ "containerd's socket for events is gone", events_gone },
	{ "the unmounting takes long", slow_unmount },
	{ "a volume never answers, and an exec asks it", volume_hangs },
	{ "the shim is killed, engine and mount hold up delete", delete_is_bounded },
	{ "the shim is killed, the engine hangs once in delete", delete_tries_again },
	{ "thousands of calls wait", thousands_wait },
	{ "the shim has no descriptor for who connects", no_descriptors },
	{ "the shim has no descriptor for a terminal", no_descriptors_for_terminals },
	{ "the kernel has no memory to watch a stream", no_watches },
};

static int play(struct scene *s, size_t i, struct err *err)
{
	struct stage *stage = s->stage;

	if (scenes[i].run(s, err) < 0)
		return -1;
	if (box_rescue(&s->box, err) < 0 || left_by_box(&s->box, err) < 0 ||
	    stage_check(stage, err) < 0 ||
	    sink_check(stage->w, s->box.from, s->box.id, s->box.wanted, s->box.maybe, 15000, err) <
		    0)
		return -1;
	return stage_again(stage, "hung", err);
}

int cmd_scenarios(struct world *w, int argc, char **argv, struct err *err)
{
	struct stage stage = { .w = w };
	struct tally t = { .losses = 0 };

	if (stage_up(&stage, err) < 0 || stage_again(&stage, "hung", err) < 0 ||
	    usage_of(stage.pod.shim, &stage.idle, err) < 0)
		return -1;
	for (size_t i = argc > 2 ? (size_t)atoi(argv[2]) : 0; i < ARRAY_SIZE(scenes); i++) {
		struct scene s = { .stage = &stage };
		uint64_t begin = now_ms();

		s.hold_ms = argc > 1 ? (unsigned int)atoi(argv[1]) * 1000 : 2000;
		if (play(&s, i, err) < 0)
			loss(&t, "%s: %s", scenes[i].name, err->text);
		t.injected++;
		box_remove(&s.box);
		printf("# %5u ms %s\n", (unsigned int)(now_ms() - begin), scenes[i].name);
		fflush(stdout);
	}
	if (stage_down(&stage, err) < 0)
		loss(&t, "%s", err->text);
	printf("hanging: %u situations with %s, %u losses\n", t.injected, w->engine, t.losses);
	return t.losses ? err_set(err, ERR_PRECONDITION, "%u losses", t.losses) : 0;
}
