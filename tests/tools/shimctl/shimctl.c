/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/events.pb-c.h"
#include "proto/sandbox.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.pb-c.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/base/traceparent.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/frame.h"
#include "shim/ttrpc/server.h"
#include "tests/tools/shimctl/message.h"

/*
 * A shim's Task API from the shell, for the cases that no client of containerd can be made to ask
 * for, and a stand-in for the end of containerd that takes events.
 */
static const char usage[] =
	"shimctl call SOCKET METHOD [FIELD=VALUE...]\n"
	"    one RPC of containerd.task.v2.Task (or SERVICE from the environment); prints the\n"
	"    reply's fields. An error goes to standard error as \"CODE MESSAGE\", exit status 1; "
	"no\n"
	"    answer in TIMEOUT seconds (environment, 20) is exit status 124. DEADLINE: what the "
	"shim\n"
	"    is told of how long its client waits, in seconds. TRACEPARENT: the trace that the "
	"call\n"
	"    belongs to, as in the metadata of containerd's requests.\n"
	"shimctl encode TYPE [FIELD=VALUE...]\n"
	"shimctl decode TYPE\n"
	"    a message to standard output, or from standard input as lines\n"
	"shimctl events SOCKET [REFUSE]\n"
	"    takes events and prints one line each; refuses the first REFUSE of them\n"
	"A message's VALUE is a file with its bytes; an Any's is TYPE:FILE.\n";

enum { FAILED = 1, USAGE = 2, CLOSED = 3, NO_ANSWER = 124 };

/* --- call ----------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const ProtobufCMessageDescriptor *request, *reply;
} methods[] = {
	{ "State", &crossarch__process_request__descriptor,
	  &crossarch__state_response__descriptor },
	{ "Create", &crossarch__create_task_request__descriptor,
	  &crossarch__pid_response__descriptor },
	{ "Start", &crossarch__process_request__descriptor, &crossarch__pid_response__descriptor },
	{ "Delete", &crossarch__process_request__descriptor,
	  &crossarch__delete_response__descriptor },
	{ "Pids", &crossarch__process_request__descriptor, &crossarch__pids_response__descriptor },
	{ "Pause", &crossarch__process_request__descriptor, &crossarch__empty__descriptor },
	{ "Resume", &crossarch__process_request__descriptor, &crossarch__empty__descriptor },
	{ "Checkpoint", &crossarch__checkpoint_task_request__descriptor,
	  &crossarch__empty__descriptor },
	{ "Kill", &crossarch__kill_request__descriptor, &crossarch__empty__descriptor },
	{ "Exec", &crossarch__exec_process_request__descriptor, &crossarch__empty__descriptor },
	{ "ResizePty", &crossarch__resize_pty_request__descriptor, &crossarch__empty__descriptor },
	{ "CloseIO", &crossarch__close_iorequest__descriptor, &crossarch__empty__descriptor },
	{ "Update", &crossarch__update_task_request__descriptor, &crossarch__empty__descriptor },
	{ "Wait", &crossarch__process_request__descriptor, &crossarch__wait_response__descriptor },
	{ "Stats", &crossarch__process_request__descriptor,
	  &crossarch__stats_response__descriptor },
	{ "Connect", &crossarch__process_request__descriptor,
	  &crossarch__connect_response__descriptor },
	{ "Shutdown", &crossarch__process_request__descriptor, &crossarch__empty__descriptor },
	{ "CreateSandbox", &crossarch__create_sandbox_request__descriptor,
	  &crossarch__empty__descriptor },
	{ "StartSandbox", &crossarch__sandbox_request__descriptor,
	  &crossarch__start_sandbox_response__descriptor },
	{ "StopSandbox", &crossarch__stop_sandbox_request__descriptor,
	  &crossarch__empty__descriptor },
	{ "WaitSandbox", &crossarch__sandbox_request__descriptor,
	  &crossarch__wait_sandbox_response__descriptor },
	{ "SandboxStatus", &crossarch__sandbox_request__descriptor,
	  &crossarch__sandbox_status_response__descriptor },
	{ "PingSandbox", &crossarch__sandbox_request__descriptor, &crossarch__empty__descriptor },
	{ "ShutdownSandbox", &crossarch__sandbox_request__descriptor,
	  &crossarch__empty__descriptor },
	/* Another service: its requests are empty here, and an error is expected. */
	{ "Stream", &crossarch__empty__descriptor, &crossarch__empty__descriptor },
};

static int fail(int status, const struct err *err)
{
	fprintf(stderr, "shimctl: %s\n", err->text);
	return status;
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static int connect_to(const char *path, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval bound = { .tv_sec = atoi(environment("TIMEOUT", "20")) };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return err_set(err, ERR_INVALID, "socket path too long: %s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(err, ERR_IO, "connect to %s", path);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	return fd_steal(&fd);
}

/* As containerd's client does with the trace of its own caller (otelttrpc). */
static void add_trace(Crossarch__TtrpcRequest *r, Crossarch__TtrpcKeyValue *room,
		      Crossarch__TtrpcKeyValue **list)
{
	const char *parent = getenv("TRACEPARENT");

	if (!parent)
		return;
	crossarch__ttrpc_key_value__init(room);
	room->key = (char *)(uintptr_t)TRACEPARENT_KEY;
	room->value = (char *)(uintptr_t)parent;
	*list = room;
	r->metadata = list;
	r->n_metadata = 1;
}

static int send_request(int fd, const char *method, const struct buf *payload, struct err *err)
{
	Crossarch__TtrpcRequest r = CROSSARCH__TTRPC_REQUEST__INIT;
	CLEANUP_FREE uint8_t *packed = NULL;
	struct frame f = { .stream = 1, .type = FRAME_REQUEST };
	Crossarch__TtrpcKeyValue trace, *metadata;

	r.service = (char *)(uintptr_t)environment("SERVICE", "containerd.task.v2.Task");
	r.method = (char *)(uintptr_t)method;
	r.payload.data = payload->data;
	r.payload.len = payload->len;
	r.timeout_nano = atoll(environment("DEADLINE", "0")) * 1000000000;
	add_trace(&r, &trace, &metadata);
	f.length = (uint32_t)crossarch__ttrpc_request__get_packed_size(&r);
	packed = malloc(FRAME_HEADER + f.length);
	if (!packed)
		return err_set(err, ERR_NOMEM, "no memory");
	frame_encode(&f, packed);
	crossarch__ttrpc_request__pack(&r, packed + FRAME_HEADER);
	if (fd_write_all(fd, packed, FRAME_HEADER + f.length) < 0)
		return err_sys(err, ERR_IO, "send");
	return 0;
}

static int receive(int fd, void *bytes, size_t n, struct err *err)
{
	ssize_t got = n ? recv(fd, bytes, n, MSG_WAITALL) : 0;

	if (got == (ssize_t)n)
		return 0;
	if (got < 0 && errno == EAGAIN)
		return err_set(err, ERR_TIMEOUT, "no answer");
	return err_set(err, ERR_IO, "connection closed");
}

static int receive_response(int fd, struct buf *body, struct err *err)
{
	uint8_t header[FRAME_HEADER];
	struct frame f;

	if (receive(fd, header, sizeof(header), err) < 0)
		return -1;
	frame_decode(header, &f);
	if (f.length > FRAME_MAX)
		return err_set(err, ERR_LIMIT, "a response of %u bytes", f.length);
	if (buf_reserve(body, f.length + 1, err) < 0 || receive(fd, body->data, f.length, err) < 0)
		return -1;
	body->len = f.length;
	return 0;
}

static int print_response(const struct buf *body, const ProtobufCMessageDescriptor *type)
{
	Crossarch__TtrpcResponse *r =
		crossarch__ttrpc_response__unpack(NULL, body->len, body->data);
	struct err err;
	int status = 0;

	if (!r) {
		fprintf(stderr, "not a TTRPC response\n");
		return FAILED;
	}
	if (r->status && r->status->code) {
		fprintf(stderr, "%d %s\n", r->status->code, r->status->message);
		status = FAILED;
	} else if (message_print(type, r->payload.data, r->payload.len, "", stdout, &err) < 0) {
		status = fail(FAILED, &err);
	}
	crossarch__ttrpc_response__free_unpacked(r, NULL);
	return status;
}

static int add_words(const ProtobufCMessageDescriptor *type, char **words, struct buf *b,
		     struct err *err)
{
	for (; *words; words++)
		if (message_add(type, *words, b, err) < 0)
			return -1;
	return 0;
}

static int call_method(const char *path, size_t method, char **words)
{
	struct buf CLEANUP_BUF request = BUF_INIT(FRAME_MAX);
	struct buf CLEANUP_BUF response = BUF_INIT(FRAME_MAX + 1);
	CLEANUP_FD int fd = -1;
	struct err err;

	if (add_words(methods[method].request, words, &request, &err) < 0)
		return fail(USAGE, &err);
	fd = connect_to(path, &err);
	if (fd < 0 || send_request(fd, methods[method].name, &request, &err) < 0 ||
	    receive_response(fd, &response, &err) < 0)
		return fail(err.code == ERR_TIMEOUT ? NO_ANSWER : CLOSED, &err);
	return print_response(&response, methods[method].reply);
}

static int cmd_call(char **words)
{
	for (size_t i = 0; words[0] && words[1] && i < ARRAY_SIZE(methods); i++)
		if (str_eq(methods[i].name, words[1]))
			return call_method(words[0], i, words + 2);
	fputs(usage, stderr);
	return USAGE;
}

/* --- encode, decode ------------------------------------------------------------------------- */

static const ProtobufCMessageDescriptor *type_of(char **words)
{
	const ProtobufCMessageDescriptor *type = *words ? message_type(*words) : NULL;

	if (!type)
		fprintf(stderr, "shimctl: unknown type %s\n", *words ? *words : "");
	return type;
}

static int cmd_encode(char **words)
{
	const ProtobufCMessageDescriptor *type = type_of(words);
	struct buf CLEANUP_BUF b = BUF_INIT(FRAME_MAX);
	struct err err;

	if (!type)
		return USAGE;
	if (add_words(type, words + 1, &b, &err) < 0)
		return fail(USAGE, &err);
	return fd_write_all(STDOUT_FILENO, buf_str(&b), b.len) < 0 ? FAILED : 0;
}

static int cmd_decode(char **words)
{
	const ProtobufCMessageDescriptor *type = type_of(words);
	struct buf CLEANUP_BUF b = BUF_INIT(FRAME_MAX);
	struct err err;

	if (!type)
		return USAGE;
	if (fd_read_all(STDIN_FILENO, "standard input", &b, &err) < 0 ||
	    message_print(type, b.data, b.len, "", stdout, &err) < 0)
		return fail(FAILED, &err);
	return 0;
}

/* --- events --------------------------------------------------------------------------------- */

static void print_event(const Crossarch__Envelope *e)
{
	const ProtobufCMessageDescriptor *type = message_type(e->event->type_url);
	CLEANUP_FREE char *text = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&text, &n);
	struct err err;

	if (!memory)
		return;
	if (!type ||
	    message_print(type, e->event->value.data, e->event->value.len, "", memory, &err) < 0)
		fprintf(memory, "undecodable");
	fclose(memory);
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	printf("%s namespace=%s %s\n", e->topic, e->namespace_, text);
	fflush(stdout);
}

static void forward(void *owner, struct call *call)
{
	const Crossarch__ForwardRequest *r = call->request;
	int *refuse = owner;
	struct err err;

	if (*refuse > 0) {
		--*refuse;
		err_set(&err, ERR_PRECONDITION, "not now");
		call_fail(call, &err);
		return;
	}
	if (r->envelope && r->envelope->event)
		print_event(r->envelope);
	call_reply(call, NULL);
}

static const struct method event_methods[] = {
	{ "containerd.services.events.ttrpc.v1.Events", "Forward",
	  &crossarch__forward_request__descriptor, forward, false },
};

static int listen_at(const char *path, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (!str_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return err_set(err, ERR_INVALID, "socket path too long: %s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 16) < 0)
		return err_sys(err, ERR_IO, "listen at %s", path);
	return fd_steal(&fd);
}

static int cmd_events(char **words)
{
	int refuse = words[0] && words[1] ? atoi(words[1]) : 0;
	struct server server;
	struct loop loop;
	struct err err;
	int fd;

	fd = words[0] ? listen_at(words[0], &err) : err_set(&err, ERR_INVALID, "no socket");
	if (fd < 0 || loop_init(&loop, &err) < 0 ||
	    server_init(&server, &loop, fd, event_methods, ARRAY_SIZE(event_methods), &refuse,
			&err) < 0 ||
	    loop_run(&loop, &err) < 0)
		return fail(FAILED, &err);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && str_eq(argv[1], "call"))
		return cmd_call(argv + 2);
	if (argc > 2 && str_eq(argv[1], "encode"))
		return cmd_encode(argv + 2);
	if (argc > 2 && str_eq(argv[1], "decode"))
		return cmd_decode(argv + 2);
	if (argc > 2 && str_eq(argv[1], "events"))
		return cmd_events(argv + 2);
	fputs(usage, stderr);
	return USAGE;
}
