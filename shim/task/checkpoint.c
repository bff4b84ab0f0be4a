/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "proto/options.pb-c.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/engine/criu.h"
#include "shim/host/cgroup.h"
#include "shim/task/crash_watch.h"
#include "shim/task/criu_work.h"
#include "shim/task/engine_record.h"
#include "shim/task/exit.h"
#include "shim/task/methods.h"
#include "shim/task/operation.h"
#include "shim/task/pod_record.h"
#include "shim/task/restore.h"
#include "shim/task/task_cgroup.h"
#include "shim/task/task_events.h"
#include "shim/task/tasks.h"

/* Checkpoint and restore through the engine, which needs criu on the node. */

static int need_criu(struct err *err)
{
	return criu_find(getenv("PATH"), err);
}

/*
 * An emulator is a file of the node, opened by the kernel in the node's own file systems: none of
 * the container has it, so that criu cannot say where a restored process would find its program.
 */
static int refuse_emulated(const struct task *t, struct err *err)
{
	if (!t->emulated)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "container %s is emulated and cannot be checkpointed or restored: its "
		       "processes execute the node's emulator, which is in no file system of the "
		       "container, and criu restores only programs that are",
		       t->id);
}

/*
 * crun (1.21 and later) restores beside a placeholder whose cgroup it removes in the end. On cgroup
 * v1 it takes that from the first line of /proc/self/cgroup; where that hierarchy is not mounted it
 * is the root, and crun kills every process of the node (src/libcrun/container.c,
 * restore_proxy_process(); seen with 1.28).
 */
static int refuse_crun_on_v1(const struct task *t, struct err *err)
{
	const char *name = strrchr(t->engine_path, '/');

	if (!name || !strstr(name, "crun") || cgroup_host_is_v2())
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "restore with crun is not offered on cgroup v1, where crun may kill all "
		       "processes of the node; set \"engine\": \"runc\", or use cgroup v2");
}

static void on_checkpointed(struct operation *op, uint32_t code)
{
	const Crossarch__CheckpointTaskRequest *req = op->call ? op->call->request : NULL;

	if (code || op->timed_out) {
		operation_engine_failed(op, code);
		return;
	}
	criu_work_end(op);
	if (req)
		publish_checkpointed(op->task, req->path);
	operation_succeed(op, NULL);
}

static int read_options(const Crossarch__Any *any, Crossarch__CheckpointOptions **ret,
			struct err *err)
{
	static const uint8_t none[1];

	if (any && any->value.len)
		*ret = crossarch__checkpoint_options__unpack(NULL, any->value.len, any->value.data);
	else
		*ret = crossarch__checkpoint_options__unpack(NULL, 0, none);
	if (*ret)
		return 0;
	return err_set(err, ERR_INVALID, "checkpoint options do not decode");
}

static void run_checkpoint(struct operation *op, const Crossarch__CheckpointTaskRequest *req,
			   const Crossarch__CheckpointOptions *o)
{
	struct engine_request r = {
		.verb = ENGINE_CHECKPOINT,
		.id = op->task->id,
		.image_path = *o->image_path ? o->image_path : req->path,
		.parent_path = o->parent_path,
		.leave_running = !o->exit,
		.open_tcp = o->open_tcp,
		.external_unix = o->external_unix_sockets,
		.shell_job = o->terminal,
		.file_locks = o->file_locks,
		.manage_cgroups = o->cgroups_mode,
		.empty_namespaces = o->empty_namespaces,
		.n_empty_namespaces = o->n_empty_namespaces,
	};
	const char *work = *o->work_path ? o->work_path : op->task->criu_work_path;
	struct err err;

	if (criu_work_begin(op, work, "dump.log", &r.work_path, &err) < 0 ||
	    operation_engine(op, &r, NULL, false, on_checkpointed, &err) < 0)
		operation_fail(op, &err);
}

void task_checkpoint(void *owner, struct call *call)
{
	const Crossarch__CheckpointTaskRequest *req = call->request;
	Crossarch__CheckpointOptions *options = NULL;
	struct operation *op;
	struct task *t;
	struct err err;

	if (tasks_find(owner, req->id, &t, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	if (operation_defer(&t->init, call))
		return;
	if (state_check(t->init.state, OP_CHECKPOINT, &err) < 0 || refuse_emulated(t, &err) < 0 ||
	    need_criu(&err) < 0 || read_options(req->options, &options, &err) < 0 ||
	    !(op = operation_new(t, &t->init, call, &err)))
		call_fail(call, &err);
	else
		run_checkpoint(op, req, options);
	if (options)
		crossarch__checkpoint_options__free_unpacked(options, NULL);
}

static void on_restored(struct operation *op, uint32_t code)
{
	Crossarch__PidResponse reply = CROSSARCH__PID_RESPONSE__INIT;
	struct task *t = op->task;
	char pid_file[PATH_MAX];
	struct err err;

	if (code || op->timed_out) {
		operation_engine_failed(op, code);
		return;
	}
	str_fmt(pid_file, sizeof(pid_file), "%s/init.pid", t->bundle);
	criu_work_end(op);
	if (process_adopt(&t->init, pid_file, &err) < 0 ||
	    stdio_engine_done(&t->init.io, &err) < 0) {
		operation_fail(op, &err);
		return;
	}
	t->init.state = PROCESS_RUNNING;
	crash_watch(t);
	task_cgroup_open(t);
	publish_start(&t->init);
	log_debug(operation_subject(op), "started, process %d", (int)t->init.pid);
	reply.pid = (uint32_t)t->init.pid;
	operation_succeed(op, &reply.base);
	process_settle(&t->init);
}

static int run_restore(struct operation *op, struct err *err)
{
	struct task *t = op->task;
	struct engine engine = task_engine(t);
	char pid_file[PATH_MAX];
	struct engine_request r = {
		.verb = ENGINE_RESTORE,
		.id = t->id,
		.bundle = t->bundle,
		.pid_file = pid_file,
		.console = t->init.terminal ? t->init.io.engine.console_socket : NULL,
		.no_pivot = t->no_pivot,
		.image_path = t->checkpoint,
	};

	if (refuse_emulated(t, err) < 0 || need_criu(err) < 0 || refuse_crun_on_v1(t, err) < 0)
		return -1;
	if (!str_fmt(pid_file, sizeof(pid_file), "%s/init.pid", t->bundle))
		return err_set(err, ERR_INVALID, "bundle path too long");
	if (criu_work_begin(op, t->criu_work_path, "restore.log", &r.work_path, err) < 0 ||
	    engine_record_write(t->bundle, &engine, t->cgroup, err) < 0)
		return -1;
	pod_record_keep(t->context->home, t->bundle, operation_subject(op));
	return operation_engine(op, &r, t->init.io.engine.fds, true, on_restored, err);
}

void restore_start(struct task *t, struct call *call)
{
	struct operation *op;
	struct err err;

	op = operation_new(t, &t->init, call, &err);
	if (!op) {
		call_fail(call, &err);
		return;
	}
	op->verb = ENGINE_RESTORE;
	if (run_restore(op, &err) < 0)
		operation_fail(op, &err);
}
