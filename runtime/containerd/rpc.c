/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/rpc.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/allocator.h"
#include "runtime/base/str.h"
#include "runtime/containerd/connect.h"

struct rpc {
	grpc_channel *channel;
	grpc_completion_queue *queue;
	gpr_timespec deadline;
	grpc_metadata headers[2]; /* sent with every call; the values are ours */
	size_t n_headers;
	bool leased; /* the last of them names a lease */
	struct rpc_status last;
};

/* One call in flight: what the core writes into, and how far we are. */
struct exchange {
	struct rpc *rpc;
	grpc_call *call;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *request;
	grpc_status_code code;
	grpc_slice details;
	bool timed_out;
};

const struct rpc_status *rpc_last_status(const struct rpc *rpc)
{
	return &rpc->last;
}

/* --- channel ------------------------------------------------------------------------------- */

/* Our callers report what went wrong; the core's own lines on stderr would only repeat it. */
static void be_quiet(gpr_log_func_args *args)
{
	(void)args;
}

static gpr_timespec deadline_after(unsigned int ms)
{
	if (!ms)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

static grpc_arg int_arg(const char *key, int value)
{
	/* The core's field is not const, and the core never writes to it. */
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER,
		.key = (char *)(uintptr_t)key,
		.value.integer = value,
	};
}

static grpc_arg string_arg(const char *key, const char *value)
{
	return (grpc_arg){
		.type = GRPC_ARG_STRING,
		.key = (char *)(uintptr_t)key,
		.value.string = (char *)(uintptr_t)value,
	};
}

/* Everything a call over a local socket can do without is switched off. Takes @fd. */
static grpc_channel *channel_take(int fd)
{
	grpc_arg args[] = {
		int_arg(GRPC_ARG_MINIMAL_STACK, 1),
		int_arg(GRPC_ARG_ENABLE_RETRIES, 0),
		int_arg(GRPC_ARG_HTTP2_BDP_PROBE, 0),
		string_arg(GRPC_ARG_DEFAULT_AUTHORITY, "localhost"),
	};
	grpc_channel_args all = { .num_args = ARRAY_SIZE(args), .args = args };
	grpc_channel_credentials *plain = grpc_insecure_credentials_create();
	grpc_channel *channel = grpc_channel_create_from_fd("containerd", fd, plain, &all);

	grpc_channel_credentials_release(plain);
	return channel;
}

/* @key has static storage; @value is copied. */
static void add_header(struct rpc *rpc, const char *key, const char *value)
{
	ASSERT(rpc->n_headers < ARRAY_SIZE(rpc->headers));
	rpc->headers[rpc->n_headers++] = (grpc_metadata){
		.key = grpc_slice_from_static_string(key),
		.value = grpc_slice_from_copied_string(value),
	};
}

int rpc_open(const struct rpc_target *target, struct rpc **ret, struct err *err)
{
	gpr_timespec deadline = deadline_after(target->timeout_ms);
	CLEANUP_FD int fd = -1;
	struct rpc *rpc;

	if (unix_connect(target->socket, target->timeout_ms, &fd, err) < 0)
		return -1;
	rpc = calloc(1, sizeof(*rpc));
	if (!rpc)
		return err_set(err, ERR_NOMEM, "no memory for a connection");
	gpr_set_log_function(be_quiet);
	grpc_init();
	rpc->deadline = deadline;
	rpc->channel = channel_take(fd_steal(&fd));
	rpc->queue = grpc_completion_queue_create_for_pluck(NULL);
	if (target->namespace)
		add_header(rpc, "containerd-namespace", target->namespace);
	*ret = rpc;
	return 0;
}

struct rpc *rpc_free(struct rpc *rpc)
{
	if (!rpc)
		return NULL;
	grpc_completion_queue_shutdown(rpc->queue);
	grpc_completion_queue_destroy(rpc->queue);
	grpc_channel_destroy(rpc->channel);
	for (size_t i = 0; i < rpc->n_headers; i++)
		grpc_slice_unref(rpc->headers[i].value);
	free(rpc);
	return NULL;
}

void rpc_allow(struct rpc *rpc, unsigned int timeout_ms)
{
	rpc->deadline = deadline_after(timeout_ms);
}

void rpc_use_lease(struct rpc *rpc, const char *lease)
{
	rpc_leave_lease(rpc);
	rpc->leased = true;
	add_header(rpc, "containerd-lease", lease);
}

void rpc_leave_lease(struct rpc *rpc)
{
	if (!rpc->leased)
		return;
	grpc_slice_unref(rpc->headers[--rpc->n_headers].value);
	rpc->leased = false;
}

/* --- one call ------------------------------------------------------------------------------ */

/* Starts @ops and waits until they are done; past the deadline the call is cancelled first. */
static bool run_batch(struct exchange *x, const grpc_op *ops, size_t n)
{
	struct rpc *rpc = x->rpc;
	grpc_event ev;

	ASSERT(grpc_call_start_batch(x->call, ops, n, x, NULL) == GRPC_CALL_OK);
	ev = grpc_completion_queue_pluck(rpc->queue, x, rpc->deadline, NULL);
	if (ev.type == GRPC_QUEUE_TIMEOUT) {
		x->timed_out = true;
		grpc_call_cancel(x->call, NULL);
		ev = grpc_completion_queue_pluck(rpc->queue, x, gpr_inf_future(GPR_CLOCK_MONOTONIC),
						 NULL);
	}
	return ev.type == GRPC_OP_COMPLETE && ev.success;
}

static grpc_byte_buffer *pack(const ProtobufCMessage *message)
{
	grpc_slice bytes = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
	grpc_byte_buffer *buffer;

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(bytes));
	buffer = grpc_raw_byte_buffer_create(&bytes, 1);
	grpc_slice_unref(bytes);
	return buffer;
}

static void exchange_init(struct exchange *x, struct rpc *rpc, const struct rpc_call *call)
{
	/* A copy: the core's header table may refer to the name in later calls. */
	grpc_slice method = grpc_slice_from_copied_string(call->method);

	*x = (struct exchange){ .rpc = rpc, .details = grpc_empty_slice() };
	x->call = grpc_channel_create_call(rpc->channel, NULL, GRPC_PROPAGATE_DEFAULTS, rpc->queue,
					   method, NULL, rpc->deadline, NULL);
	grpc_slice_unref(method);
	grpc_metadata_array_init(&x->initial);
	grpc_metadata_array_init(&x->trailing);
	x->request = pack(call->request);
}

static void exchange_deinit(struct exchange *x)
{
	grpc_byte_buffer_destroy(x->request);
	grpc_metadata_array_destroy(&x->initial);
	grpc_metadata_array_destroy(&x->trailing);
	grpc_slice_unref(x->details);
	grpc_call_unref(x->call);
}

/* Sends the whole request and takes the answer's headers: four operations. */
#define REQUEST_OPS 4
static void request_ops(struct exchange *x, grpc_op ops[static REQUEST_OPS])
{
	ops[0] = (grpc_op){ .op = GRPC_OP_SEND_INITIAL_METADATA };
	ops[0].data.send_initial_metadata.metadata = x->rpc->headers;
	ops[0].data.send_initial_metadata.count = x->rpc->n_headers;
	ops[1] = (grpc_op){ .op = GRPC_OP_SEND_MESSAGE };
	ops[1].data.send_message.send_message = x->request;
	ops[2] = (grpc_op){ .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };
	ops[3] = (grpc_op){ .op = GRPC_OP_RECV_INITIAL_METADATA };
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &x->initial;
}

static bool send_request(struct exchange *x)
{
	grpc_op ops[REQUEST_OPS];

	request_ops(x, ops);
	return run_batch(x, ops, ARRAY_SIZE(ops));
}

/* The next message, NULL when there is none: then recv_status() says why. */
static grpc_byte_buffer *recv_message(struct exchange *x)
{
	grpc_byte_buffer *buffer = NULL;
	grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

	op.data.recv_message.recv_message = &buffer;
	if (run_batch(x, &op, 1))
		return buffer;
	if (buffer)
		grpc_byte_buffer_destroy(buffer);
	return NULL;
}

/* What the core wrote about the end of the call. */
static void note_status(struct exchange *x)
{
	struct rpc_status *last = &x->rpc->last;
	size_t n;

	last->code = (unsigned int)x->code;
	n = GRPC_SLICE_LENGTH(x->details);
	n = n < sizeof(last->message) ? n : sizeof(last->message) - 1;
	memcpy(last->message, GRPC_SLICE_START_PTR(x->details), n);
	last->message[n] = '\0';
}

static grpc_op status_op(struct exchange *x)
{
	grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

	op.data.recv_status_on_client.trailing_metadata = &x->trailing;
	op.data.recv_status_on_client.status = &x->code;
	op.data.recv_status_on_client.status_details = &x->details;
	return op;
}

static void recv_status(struct exchange *x)
{
	struct rpc_status *last = &x->rpc->last;
	grpc_op op = status_op(x);

	run_batch(x, &op, 1);
	if (!x->timed_out) {
		note_status(x);
		return;
	}
	last->code = RPC_DEADLINE_EXCEEDED;
	str_copy(last->message, sizeof(last->message), "context deadline exceeded");
}

/* --- messages ------------------------------------------------------------------------------ */

static int unpack_slice(const grpc_slice *bytes, const ProtobufCMessageDescriptor *type,
			struct arena *arena, ProtobufCMessage **ret, struct err *err)
{
	ProtobufCAllocator allocator = arena_allocator(arena);
	ProtobufCMessage *message = NULL;

	message = protobuf_c_message_unpack(type, &allocator, GRPC_SLICE_LENGTH(*bytes),
					    GRPC_SLICE_START_PTR(*bytes));
	if (!message)
		return err_set(err, ERR_INVALID, "an answer of %zu bytes is not a valid %s",
			       GRPC_SLICE_LENGTH(*bytes), type->name);
	*ret = message;
	return 0;
}

/* Takes @buffer. */
static int unpack_take(grpc_byte_buffer *buffer, const ProtobufCMessageDescriptor *type,
		       struct arena *arena, ProtobufCMessage **ret, struct err *err)
{
	size_t n = grpc_byte_buffer_length(buffer);
	grpc_byte_buffer_reader reader;
	grpc_slice bytes;
	int r = -1;

	if (n > RPC_MESSAGE_MAX) {
		err_set(err, ERR_LIMIT, "an answer of %zu bytes exceeds the limit of %u", n,
			RPC_MESSAGE_MAX);
	} else if (!grpc_byte_buffer_reader_init(&reader, buffer)) {
		err_set(err, ERR_INVALID, "an answer of %zu bytes cannot be read", n);
	} else {
		bytes = grpc_byte_buffer_reader_readall(&reader);
		r = unpack_slice(&bytes, type, arena, ret, err);
		grpc_slice_unref(bytes);
		grpc_byte_buffer_reader_destroy(&reader);
	}
	grpc_byte_buffer_destroy(buffer);
	return r;
}

static int status_to_err(const struct rpc_status *status, struct err *err)
{
	if (status->code == RPC_OK)
		return 0;
	return err_set(err, rpc_code_class(status->code), "%s",
		       *status->message ? status->message : rpc_code_name(status->code));
}

/* The call ended by our own decision: the server's status says nothing about it. */
static void fail_here(struct rpc_status *status, const struct err *err)
{
	status->code = RPC_INTERNAL;
	str_copy(status->message, sizeof(status->message), err->text);
}

/* "Containers/Get" says enough to a person who reads an error. */
static const char *short_name(const char *method)
{
	const char *dot = strrchr(method, '.');

	return dot ? dot + 1 : method;
}

static int recv_all(struct exchange *x, const struct rpc_call *call, struct arena *arena,
		    rpc_on_message *on_message, void *ctx, struct err *err)
{
	grpc_byte_buffer *buffer;
	ProtobufCMessage *message = NULL;

	while ((buffer = recv_message(x))) {
		if (unpack_take(buffer, call->reply, arena, &message, err) < 0)
			return -1;
		if (on_message(ctx, message, err) < 0)
			return -1;
	}
	return 0;
}

int rpc_stream(struct rpc *rpc, const struct rpc_call *call, struct arena *arena,
	       rpc_on_message *on_message, void *ctx, struct err *err)
{
	struct exchange x;
	int r = 0;

	exchange_init(&x, rpc, call);
	if (send_request(&x))
		r = recv_all(&x, call, arena, on_message, ctx, err);
	if (r < 0)
		grpc_call_cancel(x.call, NULL);
	recv_status(&x);
	if (r < 0)
		fail_here(&rpc->last, err);
	else
		r = status_to_err(&rpc->last, err);
	exchange_deinit(&x);
	return r < 0 ? err_in(err, "%s", short_name(call->method)) : 0;
}

static int keep_one(void *ctx, ProtobufCMessage *message, struct err *err)
{
	ProtobufCMessage **slot = ctx;

	if (*slot)
		return err_set(err, ERR_INVALID, "more than one answer");
	*slot = message;
	return 0;
}

int rpc_unary(struct rpc *rpc, const struct rpc_call *call, struct arena *arena,
	      ProtobufCMessage **ret_reply, struct err *err)
{
	ProtobufCMessage *reply = NULL;

	if (rpc_stream(rpc, call, arena, keep_one, &reply, err) < 0)
		return -1;
	if (!reply)
		return err_set(err, ERR_INVALID, "%s: no answer", short_name(call->method));
	*ret_reply = reply;
	return 0;
}

/* --- a call beside others ------------------------------------------------------------------ */

struct rpc_pending {
	struct exchange x;
	struct rpc_call call;
	grpc_byte_buffer *reply;
	bool ended;
};

int rpc_begin(struct rpc *rpc, const struct rpc_call *call, struct rpc_pending **ret,
	      struct err *err)
{
	struct rpc_pending *p = calloc(1, sizeof(*p));
	grpc_op ops[REQUEST_OPS + 2];

	if (!p)
		return err_set(err, ERR_NOMEM, "no memory for a call");
	exchange_init(&p->x, rpc, call);
	p->call = *call;
	request_ops(&p->x, ops);
	ops[REQUEST_OPS] = (grpc_op){ .op = GRPC_OP_RECV_MESSAGE };
	ops[REQUEST_OPS].data.recv_message.recv_message = &p->reply;
	ops[REQUEST_OPS + 1] = status_op(&p->x);
	ASSERT(grpc_call_start_batch(p->x.call, ops, ARRAY_SIZE(ops), p, NULL) == GRPC_CALL_OK);
	*ret = p;
	return 0;
}

static bool wait_until(struct rpc_pending *p, gpr_timespec deadline)
{
	if (!p->ended)
		p->ended = grpc_completion_queue_pluck(p->x.rpc->queue, p, deadline, NULL).type ==
			   GRPC_OP_COMPLETE;
	return p->ended;
}

bool rpc_wait(struct rpc_pending *p, unsigned int ms)
{
	return wait_until(p, gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					  gpr_time_from_millis(ms, GPR_TIMESPAN)));
}

static void pending_free(struct rpc_pending *p)
{
	exchange_deinit(&p->x);
	free(p);
}

int rpc_finish(struct rpc_pending *take, struct arena *arena, ProtobufCMessage **ret_reply,
	       struct err *err)
{
	grpc_byte_buffer *reply;
	int r;

	wait_until(take, gpr_inf_future(GPR_CLOCK_MONOTONIC));
	note_status(&take->x);
	reply = steal(take->reply);
	r = status_to_err(&take->x.rpc->last, err);
	if (r == 0 && !reply)
		r = err_set(err, ERR_INVALID, "no answer");
	else if (r == 0)
		r = unpack_take(steal(reply), take->call.reply, arena, ret_reply, err);
	if (reply)
		grpc_byte_buffer_destroy(reply);
	if (r < 0)
		err_in(err, "%s", short_name(take->call.method));
	pending_free(take);
	return r;
}

void rpc_abandon(struct rpc_pending *take)
{
	grpc_call_cancel(take->x.call, NULL);
	wait_until(take, gpr_inf_future(GPR_CLOCK_MONOTONIC));
	if (take->reply)
		grpc_byte_buffer_destroy(take->reply);
	pending_free(take);
}
