/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/task.pb-c.h"
#include "proto/ttrpc.pb-c.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/containerd/connect.h"
#include "shim/ttrpc/frame.h"
#include "tests/bench/bench.h"

/*
 * The shims without containerd: started, asked over TTRPC and cleaned up by us, in the order in
 * which containerd does it. What is left after the engine's time is the shim's own.
 */

static const char *const true_args[] = { "/bin/true", NULL };

/* --- TTRPC, one call at a time ------------------------------------------------------------- */

struct peer {
	int fd;
	uint32_t stream;
	const char *service;
};

static char *pb(const char *s)
{
	return (char *)(uintptr_t)s;
}

static int send_call(struct peer *p, const char *method, const ProtobufCMessage *m, struct err *err)
{
	Crossarch__TtrpcRequest r = CROSSARCH__TTRPC_REQUEST__INIT;
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct frame f = { .stream = p->stream, .type = FRAME_REQUEST };
	uint8_t *bytes;

	r.service = pb(p->service);
	r.method = pb(method);
	r.payload.len = protobuf_c_message_get_packed_size(m);
	r.payload.data = arena_alloc(&arena, r.payload.len + 1);
	ASSERT(r.payload.data);
	protobuf_c_message_pack(m, r.payload.data);
	f.length = (uint32_t)crossarch__ttrpc_request__get_packed_size(&r);
	bytes = arena_alloc(&arena, FRAME_HEADER + f.length);
	ASSERT(bytes);
	frame_encode(&f, bytes);
	crossarch__ttrpc_request__pack(&r, bytes + FRAME_HEADER);
	if (fd_write_all(p->fd, bytes, FRAME_HEADER + f.length) < 0)
		return err_sys(err, ERR_IO, "send %s", method);
	return 0;
}

static int receive_answer(struct peer *p, struct buf *body, struct err *err)
{
	uint8_t header[FRAME_HEADER];
	struct frame f;

	if (recv(p->fd, header, sizeof(header), MSG_WAITALL) != sizeof(header))
		return err_set(err, ERR_IO, "the shim closed the connection");
	frame_decode(header, &f);
	if (buf_reserve(body, f.length + 1, err) < 0)
		return -1;
	if (f.length && recv(p->fd, body->data, f.length, MSG_WAITALL) != (ssize_t)f.length)
		return err_set(err, ERR_IO, "a response was cut");
	body->len = f.length;
	return 0;
}

/* @ret_reply, the unpacked answer, may be NULL; free it with protobuf_c_message_free_unpacked(). */
static int ask(struct peer *p, const char *method, const ProtobufCMessage *request,
	       const ProtobufCMessageDescriptor *reply, ProtobufCMessage **ret_reply,
	       struct err *err)
{
	struct buf CLEANUP_BUF body = BUF_INIT(FRAME_MAX + 1);
	Crossarch__TtrpcResponse *r;
	int rc = 0;

	if (send_call(p, method, request, err) < 0 || receive_answer(p, &body, err) < 0)
		return err_in(err, "%s", method);
	p->stream += 2;
	r = crossarch__ttrpc_response__unpack(NULL, body.len, body.data);
	if (!r)
		return err_set(err, ERR_INVALID, "%s: not a response", method);
	if (r->status && r->status->code)
		rc = err_set(err, ERR_IO, "%s: %s", method, r->status->message);
	else if (ret_reply)
		*ret_reply =
			protobuf_c_message_unpack(reply, NULL, r->payload.len, r->payload.data);
	crossarch__ttrpc_response__free_unpacked(r, NULL);
	return rc;
}

static int ask_process(struct peer *p, const char *method, const struct container *c,
		       struct err *err)
{
	Crossarch__ProcessRequest request = CROSSARCH__PROCESS_REQUEST__INIT;

	request.id = pb(c->id);
	return ask(p, method, &request.base, NULL, NULL, err);
}

/* --- one life ------------------------------------------------------------------------------ */

struct direct {
	struct bench *bench;
	struct container containers[SUBJECTS];
	struct bundle bundles[SUBJECTS];
	Crossarch__Any options[SHIMS];
	struct arena arena; /* of the options */
	struct samples start[SHIMS], create[SUBJECTS], total[SUBJECTS];
};

/* The options as containerd hands them to `start`: an Any on standard input. */
static int options_fd(const Crossarch__Any *any, struct err *err)
{
	uint8_t bytes[512];
	size_t n = crossarch__any__get_packed_size(any);
	CLEANUP_FD int fd = memfd_create("options", MFD_CLOEXEC);

	ASSERT(n <= sizeof(bytes));
	crossarch__any__pack(any, bytes);
	if (fd < 0 || fd_write_all(fd, bytes, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "write the options");
	return fd_steal(&fd);
}

static int shim_action(struct direct *d, enum subject who, const char *action, struct buf *out,
		       double *ret_first, struct err *err)
{
	const struct bench *b = d->bench;
	const char *const argv[] = { b->shim[who],
				     "-namespace",
				     b->namespace,
				     "-address",
				     b->socket,
				     "-publish-binary",
				     "/bin/false",
				     "-id",
				     d->containers[who].id,
				     "-bundle",
				     d->bundles[who].path,
				     action,
				     NULL };
	CLEANUP_FD int in = options_fd(&d->options[who], err);
	const struct run r = { .argv = (char *const *)(uintptr_t)argv,
			       .cwd = d->bundles[who].path,
			       .in = in };

	if (in < 0 || run_program(&r, out, ret_first, err) < 0)
		return err_in(err, "%s", action);
	return 0;
}

/* From the address, or from the JSON around it that the stock shim of containerd 2 prints. */
static int peer_connect(const struct buf *printed, struct peer *ret, struct err *err)
{
	const char *address = strstr(buf_str(printed), "unix://");
	char path[128];
	size_t n;

	if (!address)
		return err_set(err, ERR_INVALID, "no address: \"%.200s\"", buf_str(printed));
	address += strlen("unix://");
	n = strcspn(address, "\" \n");
	if (n >= sizeof(path))
		return err_set(err, ERR_INVALID, "the address is too long");
	memcpy(path, address, n);
	path[n] = '\0';
	*ret = (struct peer){ .stream = 1, .service = "containerd.task.v2.Task" };
	if (strstr(buf_str(printed), "\"version\":3"))
		ret->service = "containerd.task.v3.Task";
	return unix_connect(path, 5000, &ret->fd, err);
}

static int ask_create(struct direct *d, enum subject who, struct peer *p, struct err *err)
{
	Crossarch__CreateTaskRequest request = CROSSARCH__CREATE_TASK_REQUEST__INIT;
	const struct container *c = &d->containers[who];
	Crossarch__Mount mounts[8];
	Crossarch__Mount *list[8];

	ASSERT(c->n_mounts <= ARRAY_SIZE(mounts));
	for (size_t i = 0; i < c->n_mounts; i++) {
		crossarch__mount__init(&mounts[i]);
		mounts[i].type = c->mounts[i]->type;
		mounts[i].source = c->mounts[i]->source;
		mounts[i].options = c->mounts[i]->options;
		mounts[i].n_options = c->mounts[i]->n_options;
		list[i] = &mounts[i];
	}
	request.id = pb(c->id);
	request.bundle = d->bundles[who].path;
	request.rootfs = list;
	request.n_rootfs = c->n_mounts;
	request.options = &d->options[who];
	return ask(p, "Create", &request.base, NULL, NULL, err);
}

static int shim_pid_of(struct peer *p, const struct container *c, pid_t *ret, struct err *err)
{
	Crossarch__ProcessRequest request = CROSSARCH__PROCESS_REQUEST__INIT;
	ProtobufCMessage *reply;

	request.id = pb(c->id);
	if (ask(p, "Connect", &request.base, &crossarch__connect_response__descriptor, &reply,
		err) < 0)
		return -1;
	if (!reply)
		return err_set(err, ERR_INVALID, "Connect: not an answer");
	*ret = (pid_t)((Crossarch__ConnectResponse *)(void *)reply)->shim_pid;
	protobuf_c_message_free_unpacked(reply, NULL);
	return 0;
}

/* The last of its containers is gone: it ends by itself and closes the connection. */
static int ask_shutdown(struct peer *p, const struct container *c, struct err *err)
{
	char byte;

	if (ask_process(p, "Shutdown", c, err) < 0 && !strstr(err->text, "closed"))
		return -1;
	while (recv(p->fd, &byte, 1, 0) > 0)
		;
	return 0;
}

static int live(struct direct *d, enum subject who, struct peer *p, double *ret_create,
		pid_t *ret_shim, struct err *err)
{
	const struct container *c = &d->containers[who];
	double begin = now_ms();

	if (ask_create(d, who, p, err) < 0)
		return -1;
	*ret_create = now_ms() - begin;
	if (shim_pid_of(p, c, ret_shim, err) < 0 || ask_process(p, "Start", c, err) < 0 ||
	    ask_process(p, "Wait", c, err) < 0 || ask_process(p, "Delete", c, err) < 0)
		return -1;
	return ask_shutdown(p, c, err);
}

static int shim_life(struct direct *d, enum subject who, bool counts, struct err *err)
{
	struct buf CLEANUP_BUF printed = BUF_INIT(4096);
	struct buf CLEANUP_BUF deleted = BUF_INIT(4096);
	double begin, first, create, total;
	struct peer p = { .fd = -1 };
	char address[300];
	pid_t shim = 0;
	int rc;

	/* containerd makes a new bundle for every container. */
	str_fmt(address, sizeof(address), "%s/address", d->bundles[who].path);
	if (unlink(address) < 0 && errno != ENOENT)
		return err_sys(err, ERR_IO, "remove %s", address);
	begin = now_ms();
	if (shim_action(d, who, "start", &printed, &first, err) < 0 ||
	    peer_connect(&printed, &p, err) < 0)
		return -1;
	rc = live(d, who, &p, &create, &shim, err);
	close(p.fd);
	if (rc < 0 || shim_action(d, who, "delete", &deleted, NULL, err) < 0)
		return -1;
	total = now_ms() - begin;
	waitpid(shim, NULL, 0);
	if (counts) {
		samples_add(&d->start[who], first - begin);
		samples_add(&d->create[who], create);
		samples_add(&d->total[who], total);
	}
	return 0;
}

static int direct_one(void *ctx, enum subject who, bool counts, struct err *err)
{
	struct direct *d = ctx;
	struct engine_times times;

	if (who != ENGINE)
		return shim_life(d, who, counts, err);
	if (rootfs_mount(&d->containers[who], &d->bundles[who], err) < 0 ||
	    engine_cycle(d->bench, &d->bundles[who], d->containers[who].id, &times, err) < 0 ||
	    rootfs_umount(&d->bundles[who], err) < 0)
		return -1;
	if (counts) {
		samples_add(&d->create[who], times.create);
		samples_add(&d->total[who], times.total);
	}
	return 0;
}

static int direct_make(struct direct *d, struct err *err)
{
	struct bench *b = d->bench;

	for (enum subject who = STOCK; who < SUBJECTS; who++) {
		struct container *c = &d->containers[who];

		c->subject = who == ENGINE ? STOCK : who;
		str_fmt(c->id, sizeof(c->id), "direct-%s", subject_name[who]);
		if (container_make(b, c, NULL, true_args, err) < 0 ||
		    bundle_make(b, c, true_args, &d->bundles[who], err) < 0)
			return -1;
		if (who < SHIMS) {
			Bench__Any *any = subject_options(b, who, &d->arena);

			crossarch__any__init(&d->options[who]);
			d->options[who].type_url = any->type_url;
			d->options[who].value = any->value;
		}
	}
	/* The resident shims become ours when their `start` ends, and are waited for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, ERR_IO, "become a subreaper");
	return 0;
}

int bench_direct(struct bench *b, unsigned int n, struct err *err)
{
	struct direct d = { .bench = b };

	if (direct_make(&d, err) < 0 || alternate(n, SUBJECTS, direct_one, &d, err) < 0)
		return -1;
	for (enum subject who = STOCK; who < SUBJECTS; who++) {
		bundle_remove(&d.bundles[who]);
		if (container_remove(b, &d.containers[who], err) < 0)
			return -1;
		if (who < SHIMS)
			samples_print(b, "start", subject_name[who], true, &d.start[who]);
		samples_print(b, "direct_create", subject_name[who], true, &d.create[who]);
		samples_print(b, "direct", subject_name[who], true, &d.total[who]);
	}
	arena_deinit(&d.arena);
	return 0;
}
