/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "proto/ttrpc.pb-c.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/containerd/connect.h"
#include "shim/ttrpc/frame.h"
#include "tests/tools/faults/stage.h"

/*
 * Peers that mean harm, on the socket of a shim whose container runs: its owner goes on asking and
 * must get answers; afterwards the shim has what it had before.
 */
#define NOBODY 65534
#define CROWD 700	    /* open at once: more than the shim keeps */
#define MEMORY_MAX_KB 20480 /* two connections at their limits and what a shim has anyway */

struct hostile {
	struct stage stage;
	struct tally tally;
	unsigned int n;	      /* connections of each kind */
	unsigned int seconds; /* of noise */
	unsigned long peak_kb;
	uint64_t seed, frames;
};

static uint32_t dice(struct hostile *h)
{
	h->seed = h->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(h->seed >> 33);
}

static int dial(struct hostile *h)
{
	struct err err;
	int fd = -1;

	if (unix_connect(h->stage.pod.socket, 1000, &fd, &err) < 0)
		return -1;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* How many frames were taken: 0 when it hung up, which is its right, or its queue is full. */
static unsigned int say(int fd, const void *bytes, size_t n)
{
	return fd >= 0 && send(fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n;
}

/* The owner's question, amid all that. */
static int still_there(struct hostile *h, struct err *err)
{
	struct usage now;

	if (usage_of(h->stage.pod.shim, &now, err) < 0)
		return err_in(err, "the shim is gone");
	if (now.rss_kb > h->peak_kb)
		h->peak_kb = now.rss_kb;
	if (now.rss_kb > MEMORY_MAX_KB)
		return err_set(err, ERR_LIMIT, "the shim has %lu KB", now.rss_kb);
	return box_runs(&h->stage.sibling, err);
}

/* --- connections ------------------------------------------------------------------------------ */

static void silent(struct hostile *h, int fd)
{
	(void)h;
	(void)fd;
}

static void half_header(struct hostile *h, int fd)
{
	(void)h;
	say(fd, "\0\0\0\20\0", 5);
}

static void half_body(struct hostile *h, int fd)
{
	const struct frame f = { .length = 1000, .stream = 1, .type = FRAME_REQUEST };
	uint8_t bytes[FRAME_HEADER + 300] = { 0 };

	(void)h;
	frame_encode(&f, bytes);
	say(fd, bytes, sizeof(bytes));
}

static size_t request(uint8_t *bytes, uint32_t stream, const char *method, const void *payload,
		      size_t n)
{
	Crossarch__TtrpcRequest r = CROSSARCH__TTRPC_REQUEST__INIT;
	struct frame f = { .stream = stream, .type = FRAME_REQUEST };

	r.service = (char *)(uintptr_t) "containerd.task.v2.Task";
	r.method = (char *)(uintptr_t)method;
	r.payload.data = (uint8_t *)(uintptr_t)payload;
	r.payload.len = n;
	f.length = (uint32_t)crossarch__ttrpc_request__get_packed_size(&r);
	frame_encode(&f, bytes);
	return FRAME_HEADER + crossarch__ttrpc_request__pack(&r, bytes + FRAME_HEADER);
}

/* Asks and asks, and reads nothing: the shim may keep some of the answers, not all. */
static void never_reads(struct hostile *h, int fd)
{
	uint8_t bytes[256];

	for (uint32_t stream = 1; fd >= 0 && stream < 400; stream += 2)
		h->frames += say(fd, bytes, request(bytes, stream, "State", "\12\1x", 3));
}

static const struct {
	const char *name;
	void (*run)(struct hostile *, int fd);
} kinds[] = {
	{ "that send nothing", silent },
	{ "with half a header", half_header },
	{ "with half a message", half_body },
	{ "that read no answer", never_reads },
};

/* CROWD of them are open at any time; the oldest one of ours goes for the next one. */
static int crowd(struct hostile *h, size_t kind, struct err *err)
{
	int fds[CROWD], rc = 0;
	unsigned int refused = 0;

	memset(fds, -1, sizeof(fds));
	for (unsigned int i = 0; rc == 0 && i < h->n; i++) {
		fd_close(&fds[i % CROWD]);
		fds[i % CROWD] = dial(h);
		refused += fds[i % CROWD] < 0;
		kinds[kind].run(h, fds[i % CROWD]);
		if (i % 250 == 249)
			rc = still_there(h, err);
	}
	for (size_t i = 0; i < CROWD; i++)
		fd_close(&fds[i]);
	printf("# %u connections %s, %u refused\n", h->n, kinds[kind].name, refused);
	return rc < 0 ? -1 : stage_check(&h->stage, err);
}

/* --- noise
 * ---------------------------------------------------------------------------------------- */

/* Methods that a stranger may call of a container that is not there; none ends the sibling. */
static const char *const methods[] = { "State", "Create",    "Start",	"Delete",
				       "Pids",	"Pause",     "Resume",	"Kill",
				       "Exec",	"ResizePty", "Update",	"Wait",
				       "Stats", "Connect",   "CloseIO", "Nothing" };

static size_t noise(struct hostile *h, uint8_t *bytes, size_t max)
{
	size_t n = dice(h) % max;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)dice(h);
	return n;
}

/* A message of length-delimited and other fields, nearly right: ids, numbers, rubbish. */
static size_t payload(struct hostile *h, uint8_t *bytes, size_t max)
{
	size_t n = 0, fields = dice(h) % 8;

	for (size_t i = 0; i < fields && n + 70 < max; i++) {
		uint8_t number = (uint8_t)(1 + dice(h) % 12), length = (uint8_t)(dice(h) % 60);

		if (dice(h) % 3) {
			bytes[n++] = (uint8_t)(number << 3 | 2);
			bytes[n++] = length;
			for (uint8_t k = 0; k < length; k++)
				bytes[n++] = (uint8_t)(dice(h) % 4 ? 'a' + dice(h) % 26 : dice(h));
		} else {
			bytes[n++] = (uint8_t)(number << 3);
			bytes[n++] = (uint8_t)(dice(h) % 128);
		}
	}
	return n;
}

static size_t frame_of_noise(struct hostile *h, uint8_t *bytes, uint32_t *stream)
{
	uint8_t body[600];
	size_t n;

	*stream += 2;
	switch (dice(h) % 6) {
	case 0: /* right, but for some bytes */
		n = request(bytes, *stream, methods[dice(h) % ARRAY_SIZE(methods)], body,
			    payload(h, body, sizeof(body)));
		for (unsigned int i = dice(h) % 4; i > 0; i--)
			bytes[dice(h) % n] ^= (uint8_t)(1u << dice(h) % 8);
		return n;
	case 1: /* rubbish as a payload */
		return request(bytes, *stream, methods[dice(h) % ARRAY_SIZE(methods)], body,
			       noise(h, body, sizeof(body)));
	default:
		return request(bytes, *stream, methods[dice(h) % ARRAY_SIZE(methods)], body,
			       payload(h, body, sizeof(body)));
	}
}

static void drain(int fd)
{
	uint8_t block[16384];

	while (recv(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
}

static int fuzz(struct hostile *h, struct err *err)
{
	uint64_t until = now_ms() + h->seconds * 1000;
	uint8_t bytes[2048];
	uint64_t round = 0;

	while (now_ms() < until) {
		CLEANUP_FD int fd = dial(h);
		uint32_t stream = (uint32_t)-1;

		/* What is no frame at all ends the sense of all that follows it. */
		for (unsigned int i = 1 + dice(h) % 50; fd >= 0 && i > 0; i--) {
			h->frames += say(fd, bytes, frame_of_noise(h, bytes, &stream));
			drain(fd);
		}
		if (fd >= 0)
			h->frames += say(fd, bytes, noise(h, bytes, 600));
		if (++round % 50 == 0 && still_there(h, err) < 0)
			return err_in(err, "seed %llu", (unsigned long long)h->seed);
	}
	printf("# %llu frames of noise in %u s\n", (unsigned long long)h->frames, h->seconds);
	return stage_check(&h->stage, err);
}

/* --- who may
 * --------------------------------------------------------------------------------------- */

/* Across file systems, a bind mount. */
static int open_copy(const struct hostile *h, const char *name)
{
	CLEANUP_FD int fd = open(name, O_CREAT | O_CLOEXEC, 0666);

	return fd < 0 ? -1 : mount(h->stage.pod.socket, name, NULL, MS_BIND, NULL);
}

static void close_copy(const char *name)
{
	umount2(name, MNT_DETACH);
	unlink(name);
}

/*
 * With the rights to the file and none else: whoever the shim lets in is answered. The descriptor
 * is made and connected after the change of user, for that is whom the kernel names to the shim.
 */
static void as_nobody(const char *path)
{
	uint8_t bytes[256];
	struct err err;
	char byte;
	size_t n;
	int fd;

	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		_exit(10);
	if (unix_connect(path, 1000, &fd, &err) < 0)
		_exit(11);
	n = request(bytes, 1, "State", "\12\1x", 3);
	say(fd, bytes, n);
	_exit(recv(fd, &byte, 1, 0) > 0);
}

/* The way is made free for it: a copy of the name in a place that is open to all. */
static int other_uid(struct hostile *h, struct err *err)
{
	char path[] = "/tmp/crossarch-open-XXXXXX", name[64];
	int status = -1;
	pid_t pid = -1;

	if (!mkdtemp(path) || chmod(path, 0755) < 0)
		return err_sys(err, ERR_IO, "make %s", path);
	str_fmt(name, sizeof(name), "%s/s", path);
	if (link(h->stage.pod.socket, name) == 0 || (errno == EXDEV && open_copy(h, name) == 0)) {
		(void)chmod(h->stage.pod.socket, 0666);
		pid = fork();
		if (pid == 0)
			as_nobody(name);
		waitpid(pid, &status, 0);
		(void)chmod(h->stage.pod.socket, 0600);
	}
	close_copy(name);
	rmdir(path);
	if (pid < 0)
		return err_sys(err, ERR_IO, "give others a way to %s", h->stage.pod.socket);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(err, ERR_INVALID, "another user: wait status 0x%x, not refused", status);
}

static int modes(struct hostile *h, struct err *err)
{
	char dir[108];
	struct stat socket_st, dir_st;

	str_copy(dir, sizeof(dir), h->stage.pod.socket);
	*strrchr(dir, '/') = '\0';
	if (stat(h->stage.pod.socket, &socket_st) < 0 || stat(dir, &dir_st) < 0)
		return err_sys(err, ERR_IO, "look at %s", h->stage.pod.socket);
	if ((socket_st.st_mode & 0777) != 0600 || socket_st.st_uid != geteuid())
		return err_set(err, ERR_INVALID, "the socket has mode %o", socket_st.st_mode);
	if ((dir_st.st_mode & 022) || dir_st.st_uid != geteuid())
		return err_set(err, ERR_INVALID, "%s has mode %o", dir, dir_st.st_mode);
	return 0;
}

/* --- all
 * ------------------------------------------------------------------------------------------ */

static void judge(struct hostile *h, const char *what, int rc, const struct err *err)
{
	if (rc < 0)
		loss(&h->tally, "%s: %s", what, err->text);
	h->tally.injected++;
}

static int flat(struct hostile *h, struct err *err)
{
	struct usage now;

	if (usage_of(h->stage.pod.shim, &now, err) < 0)
		return -1;
	printf("# the shim before, at its largest and after: %lu, %lu and %lu KB resident\n",
	       h->stage.idle.rss_kb, h->peak_kb, now.rss_kb);
	return stage_again(&h->stage, "after", err);
}

int cmd_hostile(struct world *w, int argc, char **argv, struct err *err)
{
	struct hostile h = { .stage.w = w, .seed = 1 };

	h.seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 5;
	h.n = argc > 2 ? (unsigned int)atoi(argv[2]) : 1000;
	if (stage_up(&h.stage, err) < 0 || stage_again(&h.stage, "before", err) < 0 ||
	    usage_of(h.stage.pod.shim, &h.stage.idle, err) < 0)
		return -1;
	judge(&h, "modes", modes(&h, err), err);
	judge(&h, "another user", other_uid(&h, err), err);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		judge(&h, kinds[i].name, crowd(&h, i, err), err);
	judge(&h, "noise", fuzz(&h, err), err);
	judge(&h, "afterwards", flat(&h, err), err);
	if (stage_down(&h.stage, err) < 0)
		loss(&h.tally, "%s", err->text);
	printf("hostile: %u connections of each of %zu kinds, %llu frames, another user, %u "
	       "losses\n",
	       h.n, ARRAY_SIZE(kinds), (unsigned long long)h.frames, h.tally.losses);
	return h.tally.losses ? err_set(err, ERR_PRECONDITION, "%u losses", h.tally.losses) : 0;
}
