/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "proto/options.pb-c.h"
#include "tests/bench/bench.h"

#define SNAPSHOTTER "overlayfs"
#define SPEC_TYPE "types.containerd.io/opencontainers/runtime-spec/1/Spec"
#define PROCESS_TYPE "types.containerd.io/opencontainers/runtime-spec/1/Process"
#define SPEC_MAX (64u << 10)

/* protobuf-c's fields are not const, and packing never writes to them. */
static char *pb(const char *s)
{
	return (char *)(uintptr_t)s;
}

static int call(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
		const ProtobufCMessageDescriptor *reply, struct arena *arena, void *ret,
		struct err *err)
{
	const struct rpc_call c = { .method = method, .request = request, .reply = reply };
	struct arena CLEANUP_ARENA own = { .chunks = NULL };
	ProtobufCMessage *answer;

	if (rpc_unary(rpc, &c, arena ? arena : &own, &answer, err) < 0)
		return -1;
	if (ret)
		*(ProtobufCMessage **)ret = answer;
	return 0;
}

#define CALL(rpc, service, method, request, reply, arena, ret, err)             \
	call(rpc, "/containerd.services." service "/" method, &(request)->base, \
	     &bench__##reply##__descriptor, arena, ret, err)

/* --- containers ---------------------------------------------------------------------------- */

Bench__Any *subject_options(const struct bench *b, enum subject who, struct arena *arena)
{
	Crossarch__RuncOptions runc = CROSSARCH__RUNC_OPTIONS__INIT;
	Crossarch__RuntimeOptions ours = CROSSARCH__RUNTIME_OPTIONS__INIT;
	const ProtobufCMessage *message = who == STOCK ? &runc.base : &ours.base;
	Bench__Any *any = arena_alloc(arena, sizeof(*any));

	runc.binary_name = pb(b->engine);
	ours.config_path = pb(b->config);
	ASSERT(any);
	bench__any__init(any);
	any->type_url =
		pb(who == STOCK ? "containerd.runc.v1.Options" : "runtimeoptions.v1.Options");
	any->value.data = arena_alloc(arena, protobuf_c_message_get_packed_size(message) + 1);
	ASSERT(any->value.data);
	any->value.len = protobuf_c_message_pack(message, any->value.data);
	return any;
}

static int record_make(struct bench *b, const struct container *c, struct buf *spec,
		       struct err *err)
{
	Bench__ContainerCreate request = BENCH__CONTAINER_CREATE__INIT;
	Bench__Container container = BENCH__CONTAINER__INIT;
	Bench__Runtime runtime = BENCH__RUNTIME__INIT;
	Bench__Any any = BENCH__ANY__INIT;
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };

	runtime.name =
		pb(c->subject == STOCK ? "io.containerd.runc.v2" : "io.containerd.crossarch.v2");
	runtime.options = subject_options(b, c->subject, &arena);
	any.type_url = pb(SPEC_TYPE);
	any.value.data = spec->data;
	any.value.len = spec->len;
	container.id = pb(c->id);
	container.image = pb(b->image);
	container.runtime = &runtime;
	container.spec = &any;
	container.snapshotter = pb(SNAPSHOTTER);
	container.snapshot_key = pb(c->id);
	request.container = &container;
	return CALL(b->rpc, "containers.v1.Containers", "Create", &request, nothing, NULL, NULL,
		    err);
}

/* The record first: containerd collects a snapshot that nothing refers to. */
int container_make(struct bench *b, struct container *c, const char *group, words args,
		   struct err *err)
{
	struct buf CLEANUP_BUF spec = BUF_INIT(SPEC_MAX);
	Bench__SnapshotPrepare request = BENCH__SNAPSHOT_PREPARE__INIT;
	Bench__SnapshotMounts *mounts;

	request.snapshotter = pb(SNAPSHOTTER);
	request.key = pb(c->id);
	request.parent = b->chain;
	if (spec_container(b, c->id, group, args, &spec, err) < 0 ||
	    record_make(b, c, &spec, err) < 0 ||
	    CALL(b->rpc, "snapshots.v1.Snapshots", "Prepare", &request, snapshot_mounts, &c->arena,
		 &mounts, err) < 0)
		return -1;
	c->mounts = mounts->mounts;
	c->n_mounts = mounts->n_mounts;
	return 0;
}

int container_remove(struct bench *b, struct container *c, struct err *err)
{
	Bench__ContainerDelete container = BENCH__CONTAINER_DELETE__INIT;
	Bench__SnapshotRemove snapshot = BENCH__SNAPSHOT_REMOVE__INIT;

	arena_deinit(&c->arena);
	container.id = pb(c->id);
	snapshot.snapshotter = pb(SNAPSHOTTER);
	snapshot.key = pb(c->id);
	if (CALL(b->rpc, "containers.v1.Containers", "Delete", &container, nothing, NULL, NULL,
		 err) < 0)
		return -1;
	/* Nothing refers to it any more: containerd may have collected it already. */
	if (CALL(b->rpc, "snapshots.v1.Snapshots", "Remove", &snapshot, nothing, NULL, NULL, err) <
		    0 &&
	    err->code != ERR_NOT_FOUND)
		return -1;
	return 0;
}

/* --- tasks --------------------------------------------------------------------------------- */

int task_create(struct rpc *rpc, const struct container *c, const struct streams *io,
		struct err *err)
{
	Bench__TaskCreate request = BENCH__TASK_CREATE__INIT;

	request.container_id = pb(c->id);
	request.rootfs = c->mounts;
	request.n_rootfs = c->n_mounts;
	if (io) {
		request.stdout = pb(io->out);
		request.stderr = pb(io->err);
	}
	return CALL(rpc, "tasks.v1.Tasks", "Create", &request, task_created, NULL, NULL, err);
}

int task_exec(struct rpc *rpc, const struct container *c, const char *exec_id, words args,
	      struct err *err)
{
	struct buf CLEANUP_BUF process = BUF_INIT(SPEC_MAX);
	Bench__TaskExec request = BENCH__TASK_EXEC__INIT;
	Bench__Any any = BENCH__ANY__INIT;

	if (spec_process(args, &process, err) < 0)
		return -1;
	any.type_url = pb(PROCESS_TYPE);
	any.value.data = process.data;
	any.value.len = process.len;
	request.container_id = pb(c->id);
	request.exec_id = pb(exec_id);
	request.spec = &any;
	return CALL(rpc, "tasks.v1.Tasks", "Exec", &request, nothing, NULL, NULL, err);
}

static Bench__TaskProcess process_of(const struct container *c, const char *exec_id)
{
	Bench__TaskProcess request = BENCH__TASK_PROCESS__INIT;

	request.container_id = pb(c->id);
	if (exec_id)
		request.exec_id = pb(exec_id);
	return request;
}

int task_start(struct rpc *rpc, const struct container *c, const char *exec_id, struct err *err)
{
	const Bench__TaskProcess request = process_of(c, exec_id);

	return CALL(rpc, "tasks.v1.Tasks", "Start", &request, task_started, NULL, NULL, err);
}

int task_wait(struct rpc *rpc, const struct container *c, const char *exec_id, unsigned int wanted,
	      struct err *err)
{
	const Bench__TaskProcess request = process_of(c, exec_id);
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	Bench__TaskExited *exited;

	if (CALL(rpc, "tasks.v1.Tasks", "Wait", &request, task_exited, &arena, &exited, err) < 0)
		return -1;
	if (exited->exit_status != wanted)
		return err_set(err, ERR_IO, "%s ended with exit status %u", c->id,
			       exited->exit_status);
	return 0;
}

int task_delete(struct rpc *rpc, const struct container *c, const char *exec_id, struct err *err)
{
	const Bench__TaskProcess request = process_of(c, exec_id);

	if (exec_id)
		return CALL(rpc, "tasks.v1.Tasks", "DeleteProcess", &request, task_deleted, NULL,
			    NULL, err);
	return CALL(rpc, "tasks.v1.Tasks", "Delete", &request, task_deleted, NULL, NULL, err);
}

int task_kill(struct rpc *rpc, const struct container *c, struct err *err)
{
	Bench__TaskKill request = BENCH__TASK_KILL__INIT;

	request.container_id = pb(c->id);
	request.signal = SIGKILL;
	return CALL(rpc, "tasks.v1.Tasks", "Kill", &request, nothing, NULL, NULL, err);
}

int task_up(struct rpc *rpc, const struct container *c, struct err *err)
{
	if (task_create(rpc, c, NULL, err) < 0)
		return -1;
	return task_start(rpc, c, NULL, err);
}

int task_down(struct rpc *rpc, const struct container *c, struct err *err)
{
	if (task_kill(rpc, c, err) < 0 || task_wait(rpc, c, NULL, 128 + SIGKILL, err) < 0)
		return -1;
	return task_delete(rpc, c, NULL, err);
}
