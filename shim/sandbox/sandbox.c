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

#define CODE_KILLED (128 + 9)

void sandbox_init(struct sandbox *s, struct context *context,
		  void (*on_shutdown)(struct sandbox *s))
{
	*s = (struct sandbox){ .context = context, .on_shutdown = on_shutdown };
	holder_init(&s->holder);
	list_init(&s->waiters);
	list_init(&s->stopping);
}

/* What lines in the log are about; @call may be NULL, where no request brought them about. */
static struct log_subject subject(const struct sandbox *s, const struct call *call)
{
	struct log_subject about = context_subject(s->context);

	about.sandbox = about.id = s->id;
	about.traceparent = call ? call->traceparent : NULL;
	return about;
}

static void fail_all(struct list *calls, const struct err *why)
{
	while (!list_empty(calls))
		call_fail(list_first(calls, struct call, parked), why);
}

void sandbox_deinit(struct sandbox *s)
{
	struct err err;

	holder_deinit(&s->holder);
	err_set(&err, ERR_UNAVAILABLE, "the shim ends");
	if (s->starting)
		call_fail(s->starting, &err);
	s->starting = NULL;
	fail_all(&s->waiters, &err);
	fail_all(&s->stopping, &err);
	arena_deinit(&s->wish);
	arena_deinit(&s->arena);
}

bool sandbox_lives(const struct sandbox *s)
{
	return s->state != SANDBOX_NONE && s->state != SANDBOX_SHUT;
}

bool sandbox_is_shut(const struct sandbox *s)
{
	return s->state == SANDBOX_SHUT;
}

/* Of another id nothing is known here. */
static bool is_ours(const struct sandbox *s, const char *id, struct call *call)
{
	struct err err;

	if (sandbox_lives(s) && str_eq(s->id, id))
		return true;
	err_set(&err, ERR_NOT_FOUND, "sandbox %.100s does not exist", id);
	call_fail(call, &err);
	return false;
}

/* --- Create --------------------------------------------------------------------------------- */

static int keep(struct sandbox *s, const Crossarch__CreateSandboxRequest *req, struct err *err)
{
	char files[PATH_MAX], cgroup[PATH_MAX];

	if (pod_config_read(req->options, &s->wish, &s->config, err) < 0)
		return -1;
	if (pod_cgroup_path(s->config.cgroup_parent, req->sandbox_id, cgroup, err) < 0)
		return -1;
	if (!str_fmt(files, sizeof(files), "%s/" POD_FILES, req->bundle_path))
		return err_set(err, ERR_INVALID, "path of the bundle too long");
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

	if (sandbox_is_shut(s))
		err_set(&err, ERR_PRECONDITION, "this shim is about to end");
	else if (sandbox_lives(s))
		err_set(&err, ERR_EXISTS, "this shim has a sandbox already, %s", s->id);
	else if (!str_is_identifier(req->sandbox_id) || req->bundle_path[0] != '/')
		err_set(&err, ERR_INVALID,
			"sandbox \"%.100s\" in bundle \"%.200s\": an identifier and an absolute "
			"path are wanted",
			req->sandbox_id, req->bundle_path);
	else if (keep(s, req, &err) < 0) {
		arena_deinit(&s->wish);
		arena_deinit(&s->arena);
	} else {
		s->state = SANDBOX_CREATED;
		log_debug(subject(s, call), "sandbox created");
		call_reply(call, NULL);
		return;
	}
	call_fail(call, &err);
}

/* --- Start ---------------------------------------------------------------------------------- */

static void fail_start(const struct sandbox *s, struct call *call, const struct err *why)
{
	log_write(LOG_WARNING, subject(s, call), LOG_FIELDS(.error = why->text),
		  "the sandbox does not start");
	call_fail(call, why);
}

static void reply_started(struct sandbox *s, struct call *call)
{
	Crossarch__StartSandboxResponse reply = CROSSARCH__START_SANDBOX_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;

	timestamp_set(&at, &s->created_at);
	reply.pid = (uint32_t)s->holder.pid;
	reply.created_at = &at;
	call_reply(call, &reply.base);
}

static void reply_ended(const struct sandbox *s, struct call *call)
{
	Crossarch__WaitSandboxResponse reply = CROSSARCH__WAIT_SANDBOX_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;

	timestamp_set(&at, &s->exit.at);
	reply.exit_status = s->exit.code;
	reply.exited_at = &at;
	call_reply(call, &reply.base);
}

/* A pod's labels and annotations, which are in it, may be large, and the pod may live for months.
 */
static void forget_wish(struct sandbox *s)
{
	arena_deinit(&s->wish);
	s->config = (struct pod_config){ .hostname = "", .cgroup_parent = "" };
}

/* Whoever waits for the end learns of it, and nothing of the sandbox is left on the node. */
static void end(struct sandbox *s, const struct exit_status *status)
{
	s->state = SANDBOX_NOTREADY;
	s->exit = *status;
	log_debug(subject(s, NULL), "sandbox ended with %u", status->code);
	forget_wish(s);
	pod_files_remove(s->bundle);
	pod_cgroup_remove(s->bundle);
	while (!list_empty(&s->waiters))
		reply_ended(s, list_first(&s->waiters, struct call, parked));
	while (!list_empty(&s->stopping))
		call_reply(list_first(&s->stopping, struct call, parked), NULL);
}

static void end_now(struct sandbox *s, uint32_t code)
{
	struct exit_status status = { .code = code };

	clock_gettime(CLOCK_REALTIME, &status.at);
	end(s, &status);
}

static void on_ended(struct holder *h, const struct exit_status *status)
{
	struct sandbox *s = container_of(h, struct sandbox, holder);

	if (s->state == SANDBOX_READY)
		end(s, status);
}

/* Without it there are no metrics of the sandbox, and that is all. */
static void join_cgroup(struct sandbox *s)
{
	struct err err;

	if (!*s->cgroup || pod_cgroup_join(s->bundle, s->cgroup, s->holder.pid, &err) == 0)
		return;
	log_write(LOG_WARNING, subject(s, NULL), LOG_FIELDS(.error = err.text),
		  "cgroup of the sandbox");
	s->cgroup = "";
}

static void on_started(struct holder *h, const struct err *why)
{
	struct sandbox *s = container_of(h, struct sandbox, holder);
	struct call *call = s->starting;

	s->starting = NULL;
	if (why) {
		end_now(s, 1);
		fail_start(s, call, why);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &s->created_at);
	s->state = SANDBOX_READY;
	join_cgroup(s);
	s->context->pod_files = s->files;
	s->context->host_ipc = s->config.host_ipc;
	forget_wish(s);
	log_debug(subject(s, call), "sandbox started, process %d", (int)s->holder.pid);
	reply_started(s, call);
	if (!list_empty(&s->stopping))
		holder_kill(h);
}

/* crossarch-pause is beside crossarch-prepare. */
static int start(struct sandbox *s, struct err *err)
{
	const char *prepare = s->context->prepare_path;
	char dir[PATH_MAX];

	s->holder.started = on_started;
	s->holder.ended = on_ended;
	if (!str_fmt(dir, sizeof(dir), "%.*s", (int)(strrchr(prepare, '/') - prepare), prepare))
		return err_set(err, ERR_INVALID, "path of the programs too long");
	if (pod_files_make(s->bundle, &s->config, err) < 0)
		return -1;
	return holder_start(&s->holder, s->context->reaper, dir, s->net, &s->config, &s->wish, err);
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
		err_set(&err, ERR_PRECONDITION, "sandbox %s was started or stopped already", s->id);
		call_fail(call, &err);
		return;
	}
	if (start(s, &err) < 0) {
		end_now(s, 1);
		fail_start(s, call, &err);
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

/*
 * Of the whole pod, as containerd has it of a sandbox of its own (internal/cri/server/podsandbox/
 * sandbox_stats_linux.go, Metrics()): that is the parent of the sandbox's cgroup.
 */
static int read_metrics(const struct sandbox *s, struct cgroup *cg, struct buf *packed,
			struct err *err)
{
	if (s->state != SANDBOX_READY)
		return err_set(err, ERR_PRECONDITION, "sandbox %s is not running", s->id);
	if (!*s->cgroup)
		return err_set(err, ERR_NOT_FOUND, "sandbox %s has no cgroup of its own", s->id);
	if (cgroup_open(cg, s->holder.pid, err) < 0)
		return -1;
	cgroup_go_up(cg, strrchr(s->cgroup, '/') + 1);
	return metrics_read(cg, packed, err);
}

void sandbox_metrics(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;
	struct buf CLEANUP_BUF packed = BUF_INIT(METRICS_MAX);
	struct cgroup cg = { NULL, 0, false };
	struct err err;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (read_metrics(s, &cg, &packed, &err) < 0)
		call_fail(call, &err);
	else
		reply_metrics(s, call, &cg, &packed);
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
	struct err err;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (s->state == SANDBOX_NOTREADY) {
		reply_ended(s, call);
		return;
	}
	call->on_peer_gone = on_waiter_gone;
	if (call_wait(call, &s->waiters, &err) < 0)
		call_fail(call, &err);
}

/* One that is just being started is ended once it is known who has to be. */
void sandbox_stop(struct sandbox *s, struct call *call)
{
	const Crossarch__StopSandboxRequest *req = call->request;

	if (!is_ours(s, req->sandbox_id, call))
		return;
	if (s->state == SANDBOX_CREATED)
		end_now(s, CODE_KILLED);
	if (s->state == SANDBOX_NOTREADY) {
		call_reply(call, NULL);
		return;
	}
	call_park(call, &s->stopping);
	if (s->state == SANDBOX_READY)
		holder_kill(&s->holder);
}

static void shut(struct sandbox *s)
{
	struct err err;

	if (sandbox_lives(s) && s->state != SANDBOX_NOTREADY) {
		holder_end(&s->holder);
		end_now(s, CODE_KILLED);
	}
	err_set(&err, ERR_PRECONDITION, "the sandbox was shut down before it had started");
	if (s->starting)
		call_fail(s->starting, &err);
	s->starting = NULL;
	s->state = SANDBOX_SHUT;
}

/*
 * Of the only sandbox that this shim may have, whether it came to be or not: containerd asks the
 * same after CreateSandbox has failed, and nothing else would end the shim.
 */
void sandbox_shutdown(struct sandbox *s, struct call *call)
{
	const Crossarch__SandboxRequest *req = call->request;

	if (sandbox_lives(s) && !is_ours(s, req->sandbox_id, call))
		return;
	shut(s);
	s->on_shutdown(s);
	call_reply(call, NULL);
}
