/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/events.pb-c.h"
#include "proto/sandbox.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.pb-c.h"
#include "runtime/base/str.h"
#include "shim/ttrpc/frame.h"
#include "tests/fuzz/sequence/world.h"

static const char *const names[M_RPC_N] = {
	[M_CREATE] = "Create",
	[M_START] = "Start",
	[M_STATE] = "State",
	[M_WAIT] = "Wait",
	[M_KILL] = "Kill",
	[M_DELETE] = "Delete",
	[M_EXEC] = "Exec",
	[M_PIDS] = "Pids",
	[M_PAUSE] = "Pause",
	[M_RESUME] = "Resume",
	[M_UPDATE] = "Update",
	[M_CHECKPOINT] = "Checkpoint",
	[M_RESIZE] = "ResizePty",
	[M_CLOSE_IO] = "CloseIO",
	[M_CONNECT] = "Connect",
	[M_SHUTDOWN] = "Shutdown",
	[M_POD_CREATE] = "CreateSandbox",
	[M_POD_START] = "StartSandbox",
	[M_POD_PLATFORM] = "Platform",
	[M_POD_STOP] = "StopSandbox",
	[M_POD_WAIT] = "WaitSandbox",
	[M_POD_STATUS] = "SandboxStatus",
	[M_POD_PING] = "PingSandbox",
	[M_POD_METRICS] = "SandboxMetrics",
	[M_POD_SHUTDOWN] = "ShutdownSandbox",
};

const char *rpc_name(enum m_rpc rpc)
{
	return names[rpc];
}

static void frame_send(const struct world *w, int fd, uint32_t stream, enum frame_type type,
		       const ProtobufCMessage *msg)
{
	size_t n = protobuf_c_message_get_packed_size(msg);
	CLEANUP_FREE uint8_t *bytes = malloc(FRAME_HEADER + n + 1);
	struct frame f = { .length = (uint32_t)n, .stream = stream, .type = (uint8_t)type };

	ASSERT(bytes);
	frame_encode(&f, bytes);
	protobuf_c_message_pack(msg, bytes + FRAME_HEADER);
	if (send(fd, bytes, FRAME_HEADER + n, MSG_NOSIGNAL) != (ssize_t)(FRAME_HEADER + n))
		wrong(w, "the shim takes no more requests");
}

/* --- requests -------------------------------------------------------------------------------- */

static void request_send(struct world *w, int client, uint32_t stream, bool pods,
			 const char *method, uint64_t timeout, const ProtobufCMessage *msg)
{
	Crossarch__TtrpcRequest r = CROSSARCH__TTRPC_REQUEST__INIT;
	size_t n = protobuf_c_message_get_packed_size(msg);
	CLEANUP_FREE uint8_t *bytes = malloc(n + 1);
	char task[] = "containerd.task.v3.Task",
	     sandbox[] = "containerd.runtime.sandbox.v1.Sandbox";
	char name[32];

	ASSERT(bytes);
	task[17] = stream % 4 == 1 ? '2' : '3';
	(void)str_copy(name, sizeof(name), method);
	r.service = pods ? sandbox : task;
	r.method = name;
	r.timeout_nano = (int64_t)timeout;
	r.payload.len = protobuf_c_message_pack(msg, bytes);
	r.payload.data = bytes;
	frame_send(w, w->clients[client].fd, stream, FRAME_REQUEST, &r.base);
}

static void call_request(struct world *w, const struct m_call *c, const ProtobufCMessage *msg)
{
	request_send(w, c->connection, c->stream, m_is_pods(c->rpc), names[c->rpc],
		     c->deadline ? c->deadline - w->model.now : 0, msg);
}

static void send_create(struct world *w, struct m_call *c)
{
	Crossarch__CreateTaskRequest r = CROSSARCH__CREATE_TASK_REQUEST__INIT;
	char bundle[128];

	(void)str_fmt(bundle, sizeof(bundle), "%s/b/%s", c->bad_argument ? "relative" : w->dir,
		      c->id);
	r.id = c->id;
	r.bundle = bundle;
	call_request(w, c, &r.base);
}

static size_t process_size(const struct m_call *c)
{
	return c->bad_argument ? 0 : c->big ? W_BIG : W_SMALL;
}

static void send_exec(struct world *w, struct m_call *c)
{
	Crossarch__ExecProcessRequest r = CROSSARCH__EXEC_PROCESS_REQUEST__INIT;
	Crossarch__Any spec = CROSSARCH__ANY__INIT;
	static uint8_t json[W_BIG];

	memset(json, ' ', sizeof(json));
	json[0] = '{';
	json[process_size(c) ? process_size(c) - 1 : 1] = '}';
	spec.value.len = process_size(c);
	spec.value.data = json;
	r.id = c->id;
	r.exec_id = c->exec;
	r.spec = &spec;
	call_request(w, c, &r.base);
}

static void send_kill(struct world *w, struct m_call *c)
{
	Crossarch__KillRequest r = CROSSARCH__KILL_REQUEST__INIT;

	r.id = c->id;
	r.exec_id = c->exec;
	r.signal = c->signal;
	r.all = c->all;
	call_request(w, c, &r.base);
}

static void send_update(struct world *w, struct m_call *c)
{
	Crossarch__UpdateTaskRequest r = CROSSARCH__UPDATE_TASK_REQUEST__INIT;
	Crossarch__Any resources = CROSSARCH__ANY__INIT;

	resources.value.len = 2;
	resources.value.data = (uint8_t *)(uintptr_t) "{}";
	r.id = c->id;
	r.resources = c->bad_argument ? NULL : &resources;
	call_request(w, c, &r.base);
}

static void send_id(struct world *w, struct m_call *c)
{
	Crossarch__ProcessRequest r = CROSSARCH__PROCESS_REQUEST__INIT;
	Crossarch__CloseIORequest close_io = CROSSARCH__CLOSE_IOREQUEST__INIT;

	r.id = close_io.id = c->id;
	r.exec_id = close_io.exec_id = c->exec;
	close_io.stdin = true;
	call_request(w, c, c->rpc == M_CLOSE_IO ? &close_io.base : &r.base);
}

/* With the node's IPC: a tmpfs for a pod's own is not everybody's to mount. */
static void send_pod_create(struct world *w, struct m_call *c)
{
	Crossarch__CreateSandboxRequest r = CROSSARCH__CREATE_SANDBOX_REQUEST__INIT;
	Crossarch__PodNamespaceOptions namespaces = CROSSARCH__POD_NAMESPACE_OPTIONS__INIT;
	Crossarch__PodSecurityContext security = CROSSARCH__POD_SECURITY_CONTEXT__INIT;
	Crossarch__PodLinux on_linux = CROSSARCH__POD_LINUX__INIT;
	Crossarch__PodConfig config = CROSSARCH__POD_CONFIG__INIT;
	Crossarch__Any options = CROSSARCH__ANY__INIT;
	char type[] = "runtime.v1.PodSandboxConfig", bundle[128], net[128];
	uint8_t bytes[64];

	config.linux_config = &on_linux;
	on_linux.security_context = &security;
	security.namespace_options = &namespaces;
	namespaces.ipc = CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE;
	options.type_url = type;
	options.value.data = bytes;
	options.value.len = crossarch__pod_config__pack(&config, bytes);
	(void)str_fmt(bundle, sizeof(bundle), "%s/b/pod", c->bad_argument ? "relative" : w->dir);
	(void)str_fmt(net, sizeof(net), "%s/control", w->dir); /* the stub's socket */
	r.sandbox_id = c->id;
	r.bundle_path = bundle;
	r.netns_path = net;
	r.options = &options;
	call_request(w, c, &r.base);
}

static void send_pod(struct world *w, struct m_call *c)
{
	Crossarch__SandboxRequest r = CROSSARCH__SANDBOX_REQUEST__INIT;

	r.sandbox_id = c->id;
	call_request(w, c, &r.base);
}

void call_send(struct world *w, struct m_call *c)
{
	w->stream += 2;
	c->stream = w->stream;
	w->seen->calls++;
	switch (c->rpc) {
	case M_CREATE:
		send_create(w, c);
		break;
	case M_EXEC:
		send_exec(w, c);
		break;
	case M_KILL:
		send_kill(w, c);
		break;
	case M_UPDATE:
		send_update(w, c);
		break;
	case M_POD_CREATE:
		send_pod_create(w, c);
		break;
	case M_POD_START:
	case M_POD_PLATFORM:
	case M_POD_STOP:
	case M_POD_WAIT:
	case M_POD_STATUS:
	case M_POD_PING:
	case M_POD_METRICS:
	case M_POD_SHUTDOWN:
		send_pod(w, c);
		break;
	default: /* what a checkpoint or a resize has beyond the ids stays empty */
		send_id(w, c);
	}
}

/* A question that changes nothing: with its answer, what came before has been seen to. */
void probe_send(struct world *w, int client)
{
	Crossarch__ProcessRequest r = CROSSARCH__PROCESS_REQUEST__INIT;
	char nobody[] = "nobody";

	w->stream += 2;
	w->probe = w->stream;
	r.id = nobody;
	request_send(w, client, w->probe, false, "Connect", 0, &r.base);
}

/* --- replies --------------------------------------------------------------------------------- */

#define GOT(field, value)                                                                       \
	do {                                                                                    \
		if ((uint64_t)(field) != (uint64_t)(value))                                     \
			wrong(w, "%s %s %s: " #field " is %llu, wanted %llu", rpc_name(c->rpc), \
			      c->id, c->exec, (unsigned long long)(field),                      \
			      (unsigned long long)(value));                                     \
	} while (0)

static void check_state(const struct world *w, const struct m_call *c, size_t n, const uint8_t *p)
{
	static const unsigned int wire[M_STATE_N] = { 0, 1, 2, 4, 3 };
	Crossarch__StateResponse *r = crossarch__state_response__unpack(NULL, n, p);

	ASSERT(r);
	GOT(r->status, wire[c->status]);
	GOT(r->pid, c->pid);
	GOT(r->exited_at != NULL, c->ended);
	crossarch__state_response__free_unpacked(r, NULL);
}

static void check_ended(const struct world *w, const struct m_call *c, size_t n, const uint8_t *p)
{
	Crossarch__WaitResponse *r = crossarch__wait_response__unpack(NULL, n, p);

	ASSERT(r);
	GOT(r->exit_status, c->status);
	GOT(r->exited_at && r->exited_at->seconds, c->ended);
	crossarch__wait_response__free_unpacked(r, NULL);
}

static void check_deleted(const struct world *w, const struct m_call *c, size_t n, const uint8_t *p)
{
	Crossarch__DeleteResponse *r = crossarch__delete_response__unpack(NULL, n, p);

	ASSERT(r);
	GOT(r->pid, c->pid);
	GOT(r->exit_status, c->status);
	GOT(r->exited_at && r->exited_at->seconds, c->ended);
	crossarch__delete_response__free_unpacked(r, NULL);
}

static void check_pid(const struct world *w, const struct m_call *c, size_t n, const uint8_t *p)
{
	Crossarch__PidResponse *r = crossarch__pid_response__unpack(NULL, n, p);

	ASSERT(r);
	GOT(r->pid, c->pid);
	crossarch__pid_response__free_unpacked(r, NULL);
}

static void check_connected(const struct world *w, const struct m_call *c, size_t n,
			    const uint8_t *p)
{
	Crossarch__ConnectResponse *r = crossarch__connect_response__unpack(NULL, n, p);

	ASSERT(r);
	GOT(r->task_pid, c->pid);
	GOT(r->shim_pid, w->shim);
	crossarch__connect_response__free_unpacked(r, NULL);
}

/* Never empty while something lives: a containerd that restarts would take it for a leak. */
static void check_pids(const struct world *w, const struct m_call *c, size_t n, const uint8_t *p)
{
	Crossarch__PidsResponse *r = crossarch__pids_response__unpack(NULL, n, p);
	bool found = !c->pid;

	ASSERT(r);
	for (size_t i = 0; i < r->n_processes; i++)
		found |= r->processes[i]->pid == (uint32_t)c->pid;
	GOT(found, true);
	crossarch__pids_response__free_unpacked(r, NULL);
}

static void check_pod_status(const struct world *w, const struct m_call *c, size_t n,
			     const uint8_t *p)
{
	Crossarch__SandboxStatusResponse *r =
		crossarch__sandbox_status_response__unpack(NULL, n, p);

	ASSERT(r);
	GOT(r->pid, c->pid);
	GOT(str_eq(r->state, "SANDBOX_READY"), c->status);
	GOT(str_eq(r->state, "SANDBOX_NOTREADY"), !c->status);
	GOT(r->exited_at && r->exited_at->seconds, c->ended);
	crossarch__sandbox_status_response__free_unpacked(r, NULL);
}

static void check_platform(const struct world *w, const struct m_call *c, size_t n,
			   const uint8_t *p)
{
	Crossarch__PlatformResponse *r = crossarch__platform_response__unpack(NULL, n, p);

	ASSERT(r && r->platform);
	GOT(str_eq(r->platform->os, "linux"), true);
	GOT(*r->platform->architecture != '\0', true);
	crossarch__platform_response__free_unpacked(r, NULL);
}

static void check_payload(const struct world *w, const struct m_call *c,
			  const ProtobufCBinaryData *d)
{
	switch (c->rpc) {
	case M_STATE:
		check_state(w, c, d->len, d->data);
		break;
	case M_WAIT:
	case M_POD_WAIT:
		check_ended(w, c, d->len, d->data);
		break;
	case M_DELETE:
		check_deleted(w, c, d->len, d->data);
		break;
	case M_CREATE:
	case M_START:
	case M_POD_START:
		check_pid(w, c, d->len, d->data);
		break;
	case M_CONNECT:
		check_connected(w, c, d->len, d->data);
		break;
	case M_POD_STATUS:
		check_pod_status(w, c, d->len, d->data);
		break;
	case M_POD_PLATFORM:
		check_platform(w, c, d->len, d->data);
		break;
	case M_PIDS:
		check_pids(w, c, d->len, d->data);
		break;
	default:
		GOT(d->len, 0);
	}
}

static void on_reply(struct world *w, uint32_t stream, const Crossarch__TtrpcResponse *r)
{
	struct m_call *c = NULL;
	int code = r->status ? r->status->code : 0;

	if (stream == w->probe) {
		w->probe = 0;
		return;
	}
	for (size_t i = 0; i < W_CALLS; i++)
		if (w->calls[i].open && w->calls[i].stream == stream)
			c = &w->calls[i];
	if (!c)
		wrong(w, "a reply to nothing that was asked (stream %u)", stream);
	if (!c->due)
		wrong(w, "%s %s %s: answered too early, code %d: %s", rpc_name(c->rpc), c->id,
		      c->exec, code, code ? r->status->message : "");
	if (code != c->code && (!code || code != c->other_code))
		wrong(w, "%s %s %s: answered with code %d, wanted %d: %s", rpc_name(c->rpc), c->id,
		      c->exec, code, c->code, code ? r->status->message : "");
	if (code == 0)
		check_payload(w, c, &r->payload);
	else if (!r->status->message[0])
		wrong(w, "%s %s: code %d without a word", rpc_name(c->rpc), c->id, code);
	if (code >= 0 && code < W_CODES)
		w->seen->answers[c->rpc][c->found][*c->exec != '\0'][code]++;
	c->open = false;
}

/* --- events ---------------------------------------------------------------------------------- */

static const struct {
	const char *topic, *type;
	const ProtobufCMessageDescriptor *message;
} topics[] = {
	[M_EV_CREATE] = { "/tasks/create", "TaskCreate", &crossarch__task_create__descriptor },
	[M_EV_START] = { "/tasks/start", "TaskStart", &crossarch__task_notice__descriptor },
	[M_EV_EXIT] = { "/tasks/exit", "TaskExit", &crossarch__task_exit__descriptor },
	[M_EV_DELETE] = { "/tasks/delete", "TaskDelete", &crossarch__task_delete__descriptor },
	[M_EV_EXEC_ADDED] = { "/tasks/exec-added", "TaskExecAdded",
			      &crossarch__task_exec__descriptor },
	[M_EV_EXEC_STARTED] = { "/tasks/exec-started", "TaskExecStarted",
				&crossarch__task_exec__descriptor },
	[M_EV_PAUSED] = { "/tasks/paused", "TaskPaused", &crossarch__task_notice__descriptor },
	[M_EV_RESUMED] = { "/tasks/resumed", "TaskResumed", &crossarch__task_notice__descriptor },
};

/* One event as text, the same from either side. */
static void event_text(const struct m_event *e, char *to, size_t n)
{
	(void)str_fmt(to, n, "%s %s %s pid %d status %u", topics[e->topic].topic, e->container,
		      e->process, (int)e->pid, e->status);
}

static void event_fields(enum m_topic topic, const ProtobufCMessage *msg, struct m_event *ret)
{
	const Crossarch__TaskCreate *create = (const void *)msg;
	const Crossarch__TaskNotice *notice = (const void *)msg;
	const Crossarch__TaskExit *ended = (const void *)msg;
	const Crossarch__TaskDelete *del = (const void *)msg;
	const Crossarch__TaskExec *exec = (const void *)msg;
	const char *container = notice->container_id, *process = container;

	ret->topic = topic;
	switch (topic) {
	case M_EV_CREATE:
		ret->pid = (pid_t)create->pid;
		break;
	case M_EV_EXIT:
		process = ended->id;
		ret->pid = (pid_t)ended->pid;
		ret->status = ended->exit_status;
		break;
	case M_EV_DELETE:
		ret->pid = (pid_t)del->pid;
		ret->status = del->exit_status;
		break;
	case M_EV_EXEC_ADDED:
	case M_EV_EXEC_STARTED:
		process = exec->exec_id;
		ret->pid = (pid_t)exec->pid;
		break;
	case M_EV_START:
	case M_EV_PAUSED:
	case M_EV_RESUMED:
		ret->pid = (pid_t)notice->pid;
		break;
	}
	(void)str_copy(ret->container, sizeof(ret->container), container);
	(void)str_copy(ret->process, sizeof(ret->process), process);
}

static void read_event(const struct world *w, const Crossarch__Envelope *e, struct m_event *ret)
{
	const char *type = str_after(e->event->type_url, "containerd.events.");

	for (size_t i = 0; type && i < ARRAY_SIZE(topics); i++) {
		ProtobufCMessage *msg;

		if (!str_eq(e->topic, topics[i].topic) || !str_eq(type, topics[i].type))
			continue;
		msg = protobuf_c_message_unpack(topics[i].message, NULL, e->event->value.len,
						e->event->value.data);
		ASSERT(msg);
		event_fields((enum m_topic)i, msg, ret);
		protobuf_c_message_free_unpacked(msg, NULL);
		return;
	}
	wrong(w, "event %s of type %s", e->topic, e->event->type_url);
}

/* Those of one container come in order. */
static void on_event(struct world *w, const Crossarch__Envelope *envelope)
{
	struct model *m = &w->model;
	struct m_event got = { .pid = 0 };
	char is[128], was[128] = "none";
	unsigned int i = 0;

	read_event(w, envelope, &got);
	event_text(&got, is, sizeof(is));
	while (i < m->n_events && !str_eq(m->events[i].container, got.container))
		i++;
	if (i < m->n_events)
		event_text(&m->events[i], was, sizeof(was));
	if (!str_eq(is, was))
		wrong(w, "event %s, wanted %s", is, was);
	w->seen->events++;
	m->n_events--;
	memmove(m->events + i, m->events + i + 1, (m->n_events - i) * sizeof(m->events[0]));
}

static void on_publish(struct world *w, uint32_t stream, const Crossarch__TtrpcRequest *r)
{
	Crossarch__TtrpcResponse empty = CROSSARCH__TTRPC_RESPONSE__INIT;
	Crossarch__ForwardRequest *f =
		crossarch__forward_request__unpack(NULL, r->payload.len, r->payload.data);

	ASSERT(f && f->envelope && f->envelope->event);
	on_event(w, f->envelope);
	crossarch__forward_request__free_unpacked(f, NULL);
	frame_send(w, w->publisher.fd, stream, FRAME_RESPONSE, &empty.base);
}

/* --- frames ---------------------------------------------------------------------------------- */

static void on_frame(struct world *w, const struct frame *f, const uint8_t *body)
{
	if (f->type == FRAME_RESPONSE) {
		Crossarch__TtrpcResponse *r =
			crossarch__ttrpc_response__unpack(NULL, f->length, body);

		ASSERT(r);
		on_reply(w, f->stream, r);
		crossarch__ttrpc_response__free_unpacked(r, NULL);
	} else {
		Crossarch__TtrpcRequest *r =
			crossarch__ttrpc_request__unpack(NULL, f->length, body);

		ASSERT(r);
		on_publish(w, f->stream, r);
		crossarch__ttrpc_request__free_unpacked(r, NULL);
	}
}

/* False at the end of the stream. */
static bool peer_read(struct world *w, struct peer *p)
{
	uint8_t bytes[8192];
	ssize_t n = recv(p->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct frame f;
	struct err err;

	if (n <= 0)
		return false;
	if (buf_add(&p->in, bytes, (size_t)n, &err) < 0)
		wrong(w, "%s", err.text);
	while (p->in.len >= FRAME_HEADER) {
		frame_decode(p->in.data, &f);
		if (p->in.len < FRAME_HEADER + f.length)
			break;
		on_frame(w, &f, p->in.data + FRAME_HEADER);
		buf_consume(&p->in, FRAME_HEADER + f.length);
	}
	return true;
}

void client_read(struct world *w, int n)
{
	if (peer_read(w, &w->clients[n]))
		return;
	if (!w->model.ended)
		wrong(w, "the shim is gone");
	fd_close(&w->clients[n].fd);
	buf_deinit(&w->clients[n].in);
}

void publisher_read(struct world *w)
{
	if (peer_read(w, &w->publisher))
		return;
	fd_close(&w->publisher.fd);
	buf_deinit(&w->publisher.in);
}
