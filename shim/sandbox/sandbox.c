/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/sandbox.h"

#include <limits.h>
#include <sys/utsname.h>
#include <time.h>

#include "proto/sandbox.pb-c.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "shim/host/metrics.h"
#include "shim/sandbox/pod_cgroup.h"
#include "shim/sandbox/pod_files.h"
#include "shim/task/task_events.h"

#define PAUSE "crossarch-pause"

void sandbox_init(struct sandbox *s, struct context *context,
		  void (*on_shutdown)(struct sandbox *s))
{
	*s = (struct sandbox){ .context = context, .on_shutdown = on_shutdown };
	holder_init(&s->holder);
	list_init(&s->waiters);
	list_init(&s->stopping);
}

void sandbox_deinit(struct sandbox *s)
{
	holder_deinit(&s->holder);
	arena_deinit(&s->arena);
}

bool sandbox_lives(const struct sandbox *s)
{
	return s->state != SANDBOX_NONE;
}

/* Of another id nothing is known here. */
static bool is_ours(const struct sandbox *s, const char *id, struct call *call)
{
	struct err err;

	if (s->state != SANDBOX_NONE && str_eq(s->id, id))
		return true;
	err_set(&err, ERR_NOT_FOUND, "sandbox %.100s does not exist", id);
	call_fail(call, &err);
	return false;
}

/* --- Create --------------------------------------------------------------------------------- */

static int keep(struct sandbox *s, const Crossarch__CreateSandboxRequest *req, struct err *err)
{
	char files[PATH_MAX], cgroup[PATH_MAX];

	if (pod_config_read(req->options, &s->arena, &s->config, err) < 0)
		return -1;
	if (!str_fmt(files, sizeof(files), "%s/" POD_FILES, req->bundle_path) ||
	    !pod_cgroup_path(s->config.cgroup_parent, req->sandbox_id, cgroup))
		return err_set(err, ERR_INVALID, "path of the bundle or of the cgroup too long");
	s->files = arena_strdup(&s->arena, files);
	s->id = arena_strdup(&s->arena, req->sandbox_id);
	s->bundle = arena_strdup(&s->arena, req->bundle_path);
	s->net = arena_strdup(&s->arena, req->netns_path);
	s->cgroup = arena_strdup(&s->arena, cgroup);
	if (!s->cgroup || !s->files || !s->id || !s->bundle || !s->net)
		return err_set(err, ERR_NOMEM, "no memory for a sandbox");
	return 0;
}

void sandbox_create(struct sandbox *s, struct call *call)
{
	const Crossarch__CreateSandboxRequest *req = call->request;
	struct err err = ERR_INIT;

	if (s->state != SANDBOX_NONE)
		err_set(&err, ERR_EXISTS, "this shim has a sandbox already, %s", s->id);
	else if (!str_is_identifier(req->sandbox_id) || req->bundle_path[0] != '/')
		err_set(&err, ERR_INVALID,
			"sandbox \"%.100s\" in bundle \"%.200s\": an identifier and an absolute "
			"path are wanted",
			req->sandbox_id, req->bundle_path);
	else if (keep(s, req, &err) < 0)
		arena_deinit(&s->arena);
	else {
		s->state = SANDBOX_CREATED;
		call_reply(call, NULL);
		return;
	}
	call_fail(call, &err);
}

/* --- Start ---------------------------------------------------------------------------------- */

static void reply_started(struct sandbox *s, struct call *call)
{
	Crossarch__StartSandboxResponse reply = CROSSARCH__START_SANDBOX_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;

	timestamp_set(&at, &s->created_at);
	reply.pid = (uint32_t)s->holder.pid;
	reply.created_at = &at;
	call_reply(call, &reply.base);
}

/* Whoever waits for the end learns of it. */
static void end(struct sandbox *s, const struct exit_status *status)
{
	Crossarch__WaitSandboxResponse reply = CROSSARCH__WAIT_SANDBOX_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;

	s->state = SANDBOX_NOTREADY;
	s->exit = *status;
	pod_files_remove(s->bundle);
	pod_cgroup_remove(s->bundle);
	timestamp_set(&at, &s->exit.at);
	reply.exit_status = s->exit.code;
	reply.exited_at = &at;
	while (!list_empty(&s->waiters))
		call_reply(list_first(&s->waiters, struct call, parked), &reply.base);
	while (!list_empty(&s->stopping))
		call_reply(list_first(&s->stopping, struct call, parked), NULL);
}

static void on_ended(struct holder *h, const struct exit_status *status)
{
	struct sandbox *s = container_of(h, struct sandbox, holder);

	if (s->state == SANDBOX_READY)
		end(s, status);
}

/* Without it there are no metrics of the sandbox, and that is all. */
static void join_cgroup(const struct sandbox *s)
{
	struct err err;

	if (*s->cgroup && pod_cgroup_join(s->bundle, s->cgroup, s->holder.pid, &err) < 0)
		log_warning(s->id, "cgroup of the sandbox: %s", err.text);
}

static void on_started(struct holder *h, const struct err *why)
{
	struct sandbox *s = container_of(h, struct sandbox, holder);
	struct call *call = s->starting;
	struct exit_status failed = { .code = 1 };

	s->starting = NULL;
	clock_gettime(CLOCK_REALTIME, why ? &failed.at : &s->created_at);
	if (why) {
		end(s, &failed);
		call_fail(call, why);
		return;
	}
	s->state = SANDBOX_READY;
	join_cgroup(s);
	s->context->pod_files = s->files;
	s->context->host_ipc = s->config.host_ipc;
	reply_started(s, call);
}

/* Beside crossarch-prepare. */
static int find_pause(const struct sandbox *s, char ret[PATH_MAX], struct err *err)
{
	const char *slash = strrchr(s->context->prepare_path, '/');

	return str_fmt(ret, PATH_MAX, "%.*s/" PAUSE, (int)(slash - s->context->prepare_path),
		       s->context->prepare_path)
		       ? 0
		       : err_set(err, ERR_INVALID, "path of " PAUSE " too long");
}

static int start(struct sandbox *s, struct err *err)
{
	char path[PATH_MAX];

	s->holder.started = on_started;
	s->holder.ended = on_ended;
	if (find_pause(s, path, err) < 0 || pod_files_make(s->bundle, &s->config, err) < 0)
		return -1;
	return holder_start(&s->holder, s->context->reaper, path, s->net, &s->config, &s->arena,
			    err);
}

void sandbox_start(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;
	struct err err;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (s->state == SANDBOX_READY) {
		reply_started(s, call);
		return;
	}
	if (s->state != SANDBOX_CREATED) {
		err_set(&err, ERR_PRECONDITION, "sandbox %s was started already", s->id);
		call_fail(call, &err);
		return;
	}
	if (start(s, &err) < 0) {
		pod_files_remove(s->bundle);
		call_fail(call, &err);
		return;
	}
	s->state = SANDBOX_STARTING;
	s->starting = call;
}

/* --- looking -------------------------------------------------------------------------------- */

/* The node's, as OCI calls it. */
static const char *own_architecture(struct utsname *room)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" },	     { "i686", "386" },
		{ "armv7l", "arm" },   { "loongarch64", "loong64" },
	};

	if (uname(room) < 0)
		return "";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(room->machine, names[i][0]))
			return names[i][1];
	return room->machine;
}

void sandbox_platform(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;
	Crossarch__PlatformResponse reply = CROSSARCH__PLATFORM_RESPONSE__INIT;
	Crossarch__SandboxPlatform platform = CROSSARCH__SANDBOX_PLATFORM__INIT;
	struct utsname room;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	platform.os = (char *)(uintptr_t) "linux";
	platform.architecture = (char *)(uintptr_t)own_architecture(&room);
	reply.platform = &platform;
	call_reply(call, &reply.base);
}

void sandbox_status(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;
	Crossarch__SandboxStatusResponse reply = CROSSARCH__SANDBOX_STATUS_RESPONSE__INIT;
	Crossarch__Timestamp created = CROSSARCH__TIMESTAMP__INIT, exited = created;
	bool ready = s->state == SANDBOX_READY;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	timestamp_set(&created, &s->created_at);
	timestamp_set(&exited, &s->exit.at);
	reply.sandbox_id = (char *)(uintptr_t)s->id;
	reply.pid = (uint32_t)s->holder.pid;
	reply.state = (char *)(uintptr_t)(ready ? "SANDBOX_READY" : "SANDBOX_NOTREADY");
	reply.created_at = &created;
	reply.exited_at = s->state == SANDBOX_NOTREADY ? &exited : NULL;
	call_reply(call, &reply.base);
}

void sandbox_ping(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;

	if (is_ours(s, req->sandbox_id, call))
		call_reply(call, NULL);
}

static void reply_metrics(const struct sandbox *s, struct call *call, const struct cgroup *cg,
			  const struct buf *packed)
{
	Crossarch__SandboxMetricsResponse reply = CROSSARCH__SANDBOX_METRICS_RESPONSE__INIT;
	Crossarch__SandboxMetric metric = CROSSARCH__SANDBOX_METRIC__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	Crossarch__Any data = CROSSARCH__ANY__INIT;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_set(&at, &now);
	data.type_url = (char *)(uintptr_t)metrics_type_url(cg);
	data.value.data = packed->data;
	data.value.len = packed->len;
	metric.timestamp = &at;
	metric.id = (char *)(uintptr_t)s->id;
	metric.data = &data;
	reply.metrics = &metric;
	call_reply(call, &reply.base);
}

void sandbox_metrics(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;
	struct buf CLEANUP_BUF packed = BUF_INIT(METRICS_MAX);
	struct cgroup cg = { NULL, 0, false };
	struct err err;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (s->state != SANDBOX_READY) {
		err_set(&err, ERR_PRECONDITION, "sandbox %s is not running", s->id);
		call_fail(call, &err);
	} else if (cgroup_open(&cg, s->holder.pid, &err) < 0 ||
		   metrics_read(&cg, &packed, &err) < 0) {
		call_fail(call, &err);
	} else {
		reply_metrics(s, call, &cg, &packed);
	}
	cgroup_deinit(&cg);
}

/* --- the end -------------------------------------------------------------------------------- */

static void on_waiter_gone(struct call *call)
{
	call_reply(call, NULL);
}

void sandbox_wait(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;
	Crossarch__WaitSandboxResponse reply = CROSSARCH__WAIT_SANDBOX_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	struct err err;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (s->state != SANDBOX_NOTREADY) {
		call->on_peer_gone = on_waiter_gone;
		if (call_wait(call, &s->waiters, &err) < 0)
			call_fail(call, &err);
		return;
	}
	timestamp_set(&at, &s->exit.at);
	reply.exit_status = s->exit.code;
	reply.exited_at = &at;
	call_reply(call, &reply.base);
}

void sandbox_stop(struct sandbox *s, struct call *call)
{
	const Crossarch__StopSandboxRequest *req = call->request;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (s->state != SANDBOX_READY) {
		call_reply(call, NULL);
		return;
	}
	call_park(call, &s->stopping);
	holder_kill(&s->holder);
}

void sandbox_shutdown(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;
	struct exit_status killed = { .code = 128 + 9 };

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (s->state == SANDBOX_READY) {
		holder_kill(&s->holder);
		clock_gettime(CLOCK_REALTIME, &killed.at);
		end(s, &killed);
	}
	s->state = SANDBOX_NONE;
	s->on_shutdown(s);
	call_reply(call, NULL);
}
