/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "proto/ttrpc.pb-c.h"
#include "runtime/base/mem.h"
#include "shim/sandbox/sandbox.h"
#include "tests/unit/pause_bench.h"

/* The calls of the Sandbox API in every order, over a real socket; crossarch-pause is a script. */

#define STREAMS 64
#define UNANSWERED (-1)

struct fixture {
	struct loop loop;
	struct reaper reaper;
	struct server server;
	struct timer stop;
	struct context context;
	struct sandbox sandbox;
	char dir[64], prepare[96], socket[96];
	int client;
	uint32_t stream; /* of the last request */
	int codes[STREAMS];
	uint32_t numbers[STREAMS]; /* the first field of an answer: a pid, an exit status */
	uint8_t bytes[1 << 16];
	size_t n;
	unsigned int shut_n;
};

/* --- a shim ------------------------------------------------------------------------------- */

#define METHOD(name)                                                       \
	static void run_##name(void *owner, struct call *call)             \
	{                                                                  \
		sandbox_##name(&((struct fixture *)owner)->sandbox, call); \
	}
METHOD(create)
METHOD(start)
METHOD(platform)
METHOD(stop)
METHOD(wait)
METHOD(status)
METHOD(ping)
METHOD(shutdown)
METHOD(metrics)

#define SERVICE "containerd.runtime.sandbox.v1.Sandbox"
#define ONE_ID &crossarch__sandbox_request__descriptor

static const struct method methods[] = {
	{ SERVICE, "Create", &crossarch__create_sandbox_request__descriptor, run_create, true },
	{ SERVICE, "Start", ONE_ID, run_start, false },
	{ SERVICE, "Platform", ONE_ID, run_platform, true },
	{ SERVICE, "Stop", &crossarch__stop_sandbox_request__descriptor, run_stop, false },
	{ SERVICE, "Wait", ONE_ID, run_wait, true },
	{ SERVICE, "Status", ONE_ID, run_status, true },
	{ SERVICE, "Ping", ONE_ID, run_ping, true },
	{ SERVICE, "Shutdown", ONE_ID, run_shutdown, true },
	{ SERVICE, "Metrics", ONE_ID, run_metrics, true },
};

static void on_stop(struct timer *t)
{
	container_of(t, struct fixture, stop)->loop.quit = true;
}

static void on_shutdown(struct sandbox *s)
{
	container_of(s, struct fixture, sandbox)->shut_n++;
}

static int listen_at(struct fixture *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	str_fmt(f->socket, sizeof(f->socket), "%s/socket", f->dir);
	strcpy(addr.sun_path, f->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void dial(struct fixture *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(addr.sun_path, f->socket);
	f->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f->client, (struct sockaddr *)&addr, sizeof(addr)), 0);
	f->n = 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	assert_non_null(f);
	pause_bench_init(f->dir);
	str_fmt(f->prepare, sizeof(f->prepare), "%s/crossarch-prepare", f->dir);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	assert_int_equal(reaper_init(&f->reaper, &f->loop, &err), 0);
	f->stop.on_fire = on_stop;
	f->context.loop = &f->loop;
	f->context.reaper = &f->reaper;
	f->context.prepare_path = f->prepare;
	f->context.pod_files = "";
	assert_int_equal(server_init(&f->server, &f->loop, listen_at(f), methods,
				     ARRAY_SIZE(methods), f, &err),
			 0);
	sandbox_init(&f->sandbox, &f->context, on_shutdown);
	dial(f);
	*state = f;
	return 0;
}

static void end_holder(struct fixture *f)
{
	holder_end(&f->sandbox.holder);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	end_holder(f);
	sandbox_deinit(&f->sandbox);
	server_deinit(&f->server);
	timer_disarm(&f->stop);
	reaper_deinit(&f->reaper);
	loop_deinit(&f->loop);
	close(f->client);
	pause_bench_deinit(f->dir);
	free(f);
	return 0;
}

/* --- its client --------------------------------------------------------------------------- */

static uint32_t send_to(struct fixture *f, const char *method, const ProtobufCMessage *request)
{
	Crossarch__TtrpcRequest outer = CROSSARCH__TTRPC_REQUEST__INIT;
	uint8_t payload[8192], bytes[16384];
	struct frame frame = { .type = FRAME_REQUEST };

	f->stream += 2;
	assert_true(f->stream / 2 < STREAMS);
	f->codes[f->stream / 2] = UNANSWERED;
	outer.service = SERVICE;
	outer.method = (char *)method;
	outer.payload.data = payload;
	outer.payload.len = protobuf_c_message_pack(request, payload);
	frame.stream = f->stream + 1;
	frame.length = (uint32_t)crossarch__ttrpc_request__pack(&outer, bytes + FRAME_HEADER);
	frame_encode(&frame, bytes);
	assert_int_equal(send(f->client, bytes, FRAME_HEADER + frame.length, 0),
			 FRAME_HEADER + frame.length);
	return f->stream / 2;
}

static void take_answer(struct fixture *f, const struct frame *frame, const uint8_t *body)
{
	Crossarch__TtrpcResponse *r = crossarch__ttrpc_response__unpack(NULL, frame->length, body);
	Crossarch__WaitSandboxResponse *reply;
	uint32_t i = (frame->stream - 1) / 2;

	assert_non_null(r);
	assert_true(i < STREAMS);
	assert_int_equal(f->codes[i], UNANSWERED);
	f->codes[i] = r->status ? r->status->code : 0;
	reply = crossarch__wait_sandbox_response__unpack(NULL, r->payload.len, r->payload.data);
	if (reply)
		f->numbers[i] = reply->exit_status;
	if (reply)
		crossarch__wait_sandbox_response__free_unpacked(reply, NULL);
	crossarch__ttrpc_response__free_unpacked(r, NULL);
}

static void take_answers(struct fixture *f)
{
	struct frame frame;
	ssize_t n;

	while ((n = recv(f->client, f->bytes + f->n, sizeof(f->bytes) - f->n, MSG_DONTWAIT)) > 0)
		f->n += (size_t)n;
	while (f->n >= FRAME_HEADER) {
		frame_decode(f->bytes, &frame);
		if (f->n < FRAME_HEADER + frame.length)
			return;
		take_answer(f, &frame, f->bytes + FRAME_HEADER);
		f->n -= FRAME_HEADER + frame.length;
		memmove(f->bytes, f->bytes + FRAME_HEADER + frame.length, f->n);
	}
}

/* Lets the loop run for a moment. */
static void turn(struct fixture *f)
{
	struct err err;

	f->loop.quit = false;
	timer_arm(&f->stop, &f->loop, MS_TO_NS(10));
	assert_int_equal(loop_run(&f->loop, &err), 0);
	take_answers(f);
}

/* Its code. */
static int answer(struct fixture *f, uint32_t call)
{
	for (int i = 0; i < 3000 && f->codes[call] == UNANSWERED; i++)
		turn(f);
	assert_int_not_equal(f->codes[call], UNANSWERED);
	return f->codes[call];
}

static void expect_none(struct fixture *f, uint32_t call)
{
	turn(f);
	turn(f);
	assert_int_equal(f->codes[call], UNANSWERED);
}

static uint32_t ask_of(struct fixture *f, const char *method, const char *id)
{
	Crossarch__StopSandboxRequest stop = CROSSARCH__STOP_SANDBOX_REQUEST__INIT;
	Crossarch__SandboxRequest other = CROSSARCH__SANDBOX_REQUEST__INIT;

	stop.sandbox_id = other.sandbox_id = (char *)id;
	stop.timeout_secs = 10;
	return send_to(f, method, str_eq(method, "Stop") ? &stop.base : &other.base);
}

static uint32_t ask(struct fixture *f, const char *method)
{
	return ask_of(f, method, "pod");
}

/* A pod with the node's IPC: a tmpfs for another one is not everybody's to mount. */
static int create(struct fixture *f, const char *id, const char *bundle, const char *type)
{
	Crossarch__CreateSandboxRequest r = CROSSARCH__CREATE_SANDBOX_REQUEST__INIT;
	Crossarch__PodNamespaceOptions namespaces = CROSSARCH__POD_NAMESPACE_OPTIONS__INIT;
	Crossarch__PodSecurityContext security = CROSSARCH__POD_SECURITY_CONTEXT__INIT;
	Crossarch__PodLinux linux_config = CROSSARCH__POD_LINUX__INIT;
	Crossarch__PodConfig config = CROSSARCH__POD_CONFIG__INIT;
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	uint8_t bytes[512];

	config.hostname = "pod";
	config.linux_config = &linux_config;
	linux_config.security_context = &security;
	security.namespace_options = &namespaces;
	namespaces.ipc = CROSSARCH__POD_NAMESPACE_MODE__POD_NAMESPACE_NODE;
	any.type_url = (char *)type;
	any.value.data = bytes;
	any.value.len = crossarch__pod_config__pack(&config, bytes);
	r.sandbox_id = (char *)id;
	r.bundle_path = (char *)bundle;
	r.options = &any;
	return answer(f, send_to(f, "Create", &r.base));
}

#define TYPE "runtime.v1.PodSandboxConfig"

static void created(struct fixture *f, const char *script)
{
	pause_bench_write(f->dir, script);
	assert_int_equal(create(f, "pod", f->dir, TYPE), 0);
}

static uint32_t started(struct fixture *f, const char *script)
{
	uint32_t call;

	created(f, script);
	call = ask(f, "Start");
	assert_int_equal(answer(f, call), 0);
	assert_int_equal(f->numbers[call], f->sandbox.holder.pid);
	/* A child is ours once the shell that started it is gone. */
	for (int i = 0;
	     i < 3000 && f->sandbox.holder.first.pid && f->sandbox.holder.starter.pidfd.loop; i++)
		turn(f);
	return f->numbers[call];
}

static void expect_ended(struct fixture *f, uint32_t call, uint32_t code)
{
	assert_int_equal(answer(f, call), 0);
	assert_int_equal(f->numbers[call], code);
}

static void expect_nobody(struct fixture *f)
{
	siginfo_t si;

	for (int i = 0; i < 3000 && waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0; i++)
		turn(f);
	assert_int_equal(waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT), -1);
}

/* --- what is asked for in order ----------------------------------------------------------- */

static void a_life(void **state)
{
	struct fixture *f = *state;
	uint32_t pid, call, waits;

	assert_false(sandbox_lives(&f->sandbox));
	pid = started(f, PAUSE_GOOD);
	assert_true(sandbox_lives(&f->sandbox));
	assert_string_equal(strrchr(f->context.pod_files, '/'), "/crossarch.files");
	assert_true(f->context.host_ipc);
	assert_null(f->sandbox.wish.chunks); /* nothing large stays */
	assert_int_equal(answer(f, ask(f, "Ping")), 0);
	assert_int_equal(answer(f, ask(f, "Platform")), 0);
	assert_int_equal(answer(f, ask(f, "Status")), 0);
	/* Again it is the same one. */
	call = ask(f, "Start");
	assert_int_equal(answer(f, call), 0);
	assert_int_equal(f->numbers[call], pid);
	assert_int_equal(answer(f, ask(f, "Metrics")), 5);
	waits = ask(f, "Wait");
	expect_none(f, waits);
	assert_int_equal(answer(f, ask(f, "Stop")), 0);
	expect_ended(f, waits, 137);
	expect_ended(f, ask(f, "Wait"), 137);
	assert_int_equal(answer(f, ask(f, "Stop")), 0);
	assert_int_equal(answer(f, ask(f, "Start")), 9);
	assert_int_equal(answer(f, ask(f, "Metrics")), 9);
	assert_int_equal(answer(f, ask(f, "Ping")), 0);
	assert_true(sandbox_lives(&f->sandbox));
	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	assert_int_equal(f->shut_n, 1);
	assert_false(sandbox_lives(&f->sandbox));
	assert_true(sandbox_is_shut(&f->sandbox));
	expect_nobody(f);
}

static void nobodys(void **state)
{
	static const char *const names[] = { "Start",  "Platform", "Stop",   "Wait",
					     "Status", "Ping",	   "Metrics" };
	struct fixture *f = *state;

	/* Before there is one, of another one, and after its end. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(answer(f, ask(f, names[i])), 5);
	created(f, PAUSE_GOOD);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(answer(f, ask_of(f, names[i], "other")), 5);
	assert_int_equal(answer(f, ask_of(f, "Shutdown", "other")), 5);
	assert_int_equal(f->shut_n, 0);
	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(answer(f, ask(f, names[i])), 5);
}

static void not_created(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create(f, "", f->dir, TYPE), 3);
	assert_int_equal(create(f, "../pod", f->dir, TYPE), 3);
	assert_int_equal(create(f, "pod", "relative", TYPE), 3);
	assert_int_equal(create(f, "pod", "", TYPE), 3);
	assert_int_equal(create(f, "pod", f->dir, "another.Type"), 3);
	assert_false(sandbox_lives(&f->sandbox));
	/* One that failed is in nobody's way. */
	assert_int_equal(create(f, "pod", f->dir, TYPE), 0);
	assert_int_equal(create(f, "pod", f->dir, TYPE), 6);
	assert_int_equal(create(f, "other", f->dir, TYPE), 6);
}

/* Nothing else would end the shim. */
static void shut_down_without_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create(f, "pod", "relative", TYPE), 3);
	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	assert_int_equal(f->shut_n, 1);
	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	assert_int_equal(create(f, "pod", f->dir, TYPE), 9);
}

/* --- out of order ------------------------------------------------------------------------- */

static void stopped_before_start(void **state)
{
	struct fixture *f = *state;
	uint32_t waits;

	created(f, PAUSE_GOOD);
	waits = ask(f, "Wait");
	expect_none(f, waits);
	assert_int_equal(answer(f, ask(f, "Stop")), 0);
	expect_ended(f, waits, 137);
	assert_int_equal(answer(f, ask(f, "Start")), 9);
}

static void shut_down_before_start(void **state)
{
	struct fixture *f = *state;
	uint32_t waits;

	created(f, PAUSE_GOOD);
	waits = ask(f, "Wait");
	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	expect_ended(f, waits, 137);
}

static void shut_down_before_stop(void **state)
{
	struct fixture *f = *state;
	uint32_t waits;

	started(f, PAUSE_FIRST);
	waits = ask(f, "Wait");
	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	expect_ended(f, waits, 137);
	expect_nobody(f);
}

#define SLOW "while ! test -e go; do sleep 0.02; done; " PAUSE_GOOD

static void let_go(const struct fixture *f)
{
	char path[96];

	str_fmt(path, sizeof(path), "%s/go", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
}

static uint32_t starting(struct fixture *f)
{
	char script[256];
	uint32_t call;

	str_fmt(script, sizeof(script), "cd %s; " SLOW, f->dir);
	created(f, script);
	call = ask(f, "Start");
	expect_none(f, call);
	return call;
}

/* It comes to be, so that it is known whom to end, and is ended then. */
static void stopped_while_it_starts(void **state)
{
	struct fixture *f = *state;
	uint32_t starts = starting(f), stops = ask(f, "Stop"), waits = ask(f, "Wait");

	expect_none(f, stops);
	assert_int_equal(answer(f, ask(f, "Start")), 9);
	let_go(f);
	assert_int_equal(answer(f, starts), 0);
	assert_int_equal(answer(f, stops), 0);
	expect_ended(f, waits, 137);
	expect_nobody(f);
}

static void shut_down_while_it_starts(void **state)
{
	struct fixture *f = *state;
	uint32_t starts = starting(f), waits = ask(f, "Wait");

	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	assert_int_equal(answer(f, starts), 9);
	expect_ended(f, waits, 137);
	expect_nobody(f);
	assert_true(sandbox_is_shut(&f->sandbox));
}

/* The shim ends by a signal. */
static void over_while_it_starts(void **state)
{
	struct fixture *f = *state;
	uint32_t starts = starting(f), stops = ask(f, "Stop"), waits = ask(f, "Wait");

	expect_none(f, waits);
	end_holder(f);
	sandbox_deinit(&f->sandbox);
	assert_int_equal(answer(f, starts), 14);
	assert_int_equal(answer(f, stops), 14);
	assert_int_equal(answer(f, waits), 14);
	sandbox_init(&f->sandbox, &f->context, on_shutdown);
}

static void asker_leaves(void **state)
{
	struct fixture *f = *state;

	(void)starting(f);
	(void)ask(f, "Stop");
	(void)ask(f, "Wait");
	turn(f);
	close(f->client);
	turn(f);
	dial(f);
	assert_int_equal(answer(f, ask(f, "Ping")), 0);
	let_go(f);
	expect_ended(f, ask(f, "Wait"), 137);
	expect_nobody(f);
}

/* --- what fails --------------------------------------------------------------------------- */

static void does_not_start(void **state)
{
	struct fixture *f = *state;
	uint32_t waits;

	created(f, "echo 'no room' >&3; exit 1");
	waits = ask(f, "Wait");
	assert_int_equal(answer(f, ask(f, "Start")), 2);
	expect_ended(f, waits, 1);
	assert_int_equal(answer(f, ask(f, "Status")), 0);
	assert_int_equal(answer(f, ask(f, "Start")), 9);
	assert_int_equal(answer(f, ask(f, "Stop")), 0);
	assert_string_equal(f->context.pod_files, "");
	assert_int_equal(answer(f, ask(f, "Shutdown")), 0);
	expect_nobody(f);
}

static void no_program(void **state)
{
	struct fixture *f = *state;
	uint32_t waits;
	char path[96];

	created(f, PAUSE_GOOD);
	str_fmt(path, sizeof(path), "%s/crossarch-pause", f->dir);
	assert_int_equal(unlink(path), 0);
	waits = ask(f, "Wait");
	assert_int_equal(answer(f, ask(f, "Start")), 5);
	expect_ended(f, waits, 1);
}

static void no_bundle(void **state)
{
	struct fixture *f = *state;
	uint32_t waits;

	pause_bench_write(f->dir, PAUSE_GOOD);
	assert_int_equal(create(f, "pod", "/no/such/bundle", TYPE), 0);
	waits = ask(f, "Wait");
	assert_int_equal(answer(f, ask(f, "Start")), 2);
	expect_ended(f, waits, 1);
	expect_nobody(f);
}

static void holder_dies(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = started(f, PAUSE_FIRST), waits = ask(f, "Wait");

	expect_none(f, waits);
	assert_int_equal(kill((pid_t)pid, SIGTERM), 0);
	expect_ended(f, waits, 128 + SIGTERM);
	assert_int_equal(answer(f, ask(f, "Status")), 0);
	assert_int_equal(answer(f, ask(f, "Stop")), 0);
	expect_nobody(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_life, setup, teardown),
		cmocka_unit_test_setup_teardown(nobodys, setup, teardown),
		cmocka_unit_test_setup_teardown(not_created, setup, teardown),
		cmocka_unit_test_setup_teardown(shut_down_without_one, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped_before_start, setup, teardown),
		cmocka_unit_test_setup_teardown(shut_down_before_start, setup, teardown),
		cmocka_unit_test_setup_teardown(shut_down_before_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped_while_it_starts, setup, teardown),
		cmocka_unit_test_setup_teardown(shut_down_while_it_starts, setup, teardown),
		cmocka_unit_test_setup_teardown(over_while_it_starts, setup, teardown),
		cmocka_unit_test_setup_teardown(asker_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(does_not_start, setup, teardown),
		cmocka_unit_test_setup_teardown(no_program, setup, teardown),
		cmocka_unit_test_setup_teardown(no_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(holder_dies, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
