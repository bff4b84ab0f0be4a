/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/tunnel.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "shim/host/stream_message.h"
#include "shim/host/uri.h"
#include "shim/ttrpc/server.h"

static const struct stream_events opening;

void tunnels_init(struct tunnels *ts, const char *socket)
{
	list_init(&ts->all);
	ts->socket = socket;
}

static struct tunnel *find(const struct tunnels *ts, const char *id, size_t n)
{
	list_for_each(node, &ts->all) {
		struct tunnel *t = list_entry(node, struct tunnel, in_all);

		if (strlen(t->id) == n && memcmp(t->id, id, n) == 0)
			return t;
	}
	return NULL;
}

/* Nobody is left who needs it. */
static void drop(struct tunnel *t)
{
	timer_disarm(&t->again);
	source_deinit(&t->pipe);
	buf_deinit(&t->held);
	list_del(&t->in_all);
	free(t->id);
	free(t);
}

/* --- input -------------------------------------------------------------------------------- */

static void set_over(struct tunnel *t)
{
	t->over = true;
	source_deinit(&t->pipe);
	buf_deinit(&t->held);
	if (t->on_change)
		t->on_change(t);
}

/* The client may send as much as there is room for; not for every few bytes a message. */
static void grant(struct tunnel *t)
{
	uint8_t message[STREAM_SMALL_MAX];
	struct err err;

	if (!t->call || t->held.len || t->granted > TUNNEL_WINDOW / 2 || t->client_finished)
		return;
	if (call_send_message(t->call, message, stream_window(message, TUNNEL_WINDOW - t->granted),
			      &err) < 0)
		timer_arm(&t->again, t->pipe.loop, LOOP_RETRY_NS);
	else
		t->granted = TUNNEL_WINDOW;
}

/* May free the tunnel. */
static void pump_input(struct tunnel *t)
{
	ssize_t n = 0;

	while (t->held.len && n >= 0) {
		n = write(t->pipe.fd, t->held.data, t->held.len);
		if (n > 0)
			buf_consume(&t->held, (size_t)n);
		if (n < 0 && errno == EINTR)
			n = 0;
	}
	if (n < 0 && (errno == ENOMEM || errno == ENOBUFS)) {
		source_want(&t->pipe, 0);
		timer_arm(&t->again, t->pipe.loop, LOOP_RETRY_NS);
	} else if (n < 0 && errno != EAGAIN) {
		set_over(t);
	} else if (!t->held.len && t->closing && (!t->call || t->client_finished)) {
		set_over(t);
	} else {
		source_want(&t->pipe, t->held.len ? EPOLLOUT : 0);
		grant(t);
	}
}

/* What a client sends beyond its window, or before it has one, breaks its stream. */
static int take_input(struct tunnel *t, const struct stream_message *m, struct err *err)
{
	if (m->n > t->granted)
		return err_set(err, ERR_LIMIT, "%zu bytes in a window of %u", m->n, t->granted);
	if (buf_add(&t->held, m->bytes, m->n, err) < 0)
		return -1;
	t->granted -= (uint32_t)m->n;
	return 0;
}

void tunnel_close_input(struct tunnel *t)
{
	t->closing = true;
	/* A turn of the loop later: here the owner does not expect its end. */
	if (tunnel_running(t))
		timer_arm(&t->again, t->pipe.loop, 0);
}

/* --- the client --------------------------------------------------------------------------- */

/* It left, was replaced, or broke the rules. May free the tunnel. */
static void detach(struct tunnel *t)
{
	t->call = NULL;
	t->credit = t->granted = 0;
	t->client_finished = false;
	if (!t->owner) {
		drop(t);
		return;
	}
	if (t->input) {
		/* Looks for the end that now may have come. */
		if (tunnel_running(t))
			pump_input(t);
		return;
	}
	t->over = t->ended;
	output_watch(t);
	if (t->on_change)
		t->on_change(t);
}

static void on_gone(struct call *call)
{
	struct tunnel *t = call->keeper;

	call_end(call);
	if (t)
		detach(t);
}

/* Answers with the reason; the client may open the stream again. May free the tunnel. */
static void refuse(struct call *call, const struct err *err)
{
	struct tunnel *t = call->keeper;

	call_fail(call, err);
	if (t)
		detach(t);
}

static int take_message(struct tunnel *t, const struct stream_message *m, struct err *err)
{
	if (m->kind == STREAM_WINDOW && !t->input && m->update > 0) {
		output_credit(t, (uint32_t)m->update);
		return 0;
	}
	if (m->kind == STREAM_DATA && t->input)
		return take_input(t, m, err);
	return err_set(err, ERR_INVALID, "unexpected message on stream %.100s", t->id);
}

static void on_message(struct call *call, const uint8_t *bytes, size_t n)
{
	struct tunnel *t = call->keeper;
	struct stream_message m;
	struct err err;

	if (stream_message_decode(bytes, n, &m, &err) < 0 || take_message(t, &m, &err) < 0)
		refuse(call, &err);
	else if (t->input && tunnel_running(t))
		pump_input(t);
}

/* Of output, or of a stream that no process has: the client does not want any more of it. */
static void on_half_closed(struct call *call)
{
	struct tunnel *t = call->keeper;

	if (t->input) {
		t->client_finished = true;
		if (tunnel_running(t))
			pump_input(t);
		return;
	}
	call_end(call);
	detach(t);
}

static void on_sent(struct call *call)
{
	struct tunnel *t = call->keeper;

	if (!t->input)
		output_watch(t);
}

static const struct stream_events flowing = { on_message, on_half_closed, on_sent };

/* --- opening ------------------------------------------------------------------------------ */

static struct tunnel *tunnel_new(struct tunnels *ts, const char *id, size_t n)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->id = strndup(id, n);
	if (!t->id) {
		free(t);
		return NULL;
	}
	t->held.max = TUNNEL_WINDOW;
	list_init(&t->in_all);
	list_add(&ts->all, &t->in_all);
	return t;
}

/* A client that comes a second time has lost its first connection, whether we know or not. */
static void replace(struct tunnel *t)
{
	struct call *old = t->call;

	if (!old)
		return;
	t->call = NULL;
	old->keeper = NULL;
	call_end(old);
	t->credit = t->granted = 0;
	t->client_finished = false;
}

static int check_init(const struct stream_message *m, struct err *err)
{
	if (m->kind != STREAM_INIT || !m->n || m->n > TUNNEL_ID_MAX || memchr(m->bytes, 0, m->n))
		return err_set(err, ERR_INVALID, "a stream begins with the id it is to have");
	return 0;
}

static int attach(struct tunnels *ts, struct call *call, const struct stream_message *m,
		  struct err *err)
{
	struct tunnel *t = find(ts, (const char *)m->bytes, m->n);
	uint8_t message[STREAM_SMALL_MAX];

	/* Before anything is changed: memory for the answer. */
	if (call_reserve(call, STREAM_SMALL_MAX, err) < 0)
		return -1;
	if (!t)
		t = tunnel_new(ts, (const char *)m->bytes, m->n);
	if (!t)
		return err_set(err, ERR_NOMEM, "no memory for a stream");
	replace(t);
	call->keeper = t;
	call->stream_events = &flowing;
	call->on_peer_gone = on_gone;
	t->call = call;
	t->window = 0;
	t->sent = t->sure = t->asks = 0;
	(void)!call_send_message(call, message, stream_is_ready(message), err);
	if (t->ended)
		call_close(call);
	else if (t->input && tunnel_running(t))
		pump_input(t);
	else
		output_watch(t);
	return 0;
}

static void on_first_message(struct call *call, const uint8_t *bytes, size_t n)
{
	struct tunnels *ts = call->keeper;
	struct stream_message m;
	struct err err;

	if (stream_message_decode(bytes, n, &m, &err) < 0 || check_init(&m, &err) < 0 ||
	    attach(ts, call, &m, &err) < 0)
		call_fail(call, &err);
}

static void on_first_end(struct call *call)
{
	call_end(call);
}

static void on_first_sent(struct call *call)
{
	(void)call;
}

static const struct stream_events opening = { on_first_message, on_first_end, on_first_sent };

static void on_gone_early(struct call *call)
{
	call_end(call);
}

void tunnels_stream(struct tunnels *ts, struct call *call)
{
	call->keeper = ts;
	call->stream_events = &opening;
	call->on_peer_gone = on_gone_early;
}

/* --- the process -------------------------------------------------------------------------- */

#define OURS "ttrpc+unix"
#define ID_KEY "streaming_id="

bool tunnel_is(const char *address)
{
	char scheme[URI_SCHEME_MAX];

	uri_scheme(address, scheme);
	return strchr(scheme, '+') || str_eq(scheme, "streaming") || str_eq(scheme, "ttrpc") ||
	       str_eq(scheme, "grpc");
}

/* The id in @query, which is changed; NULL without one. */
static const char *query_id(char *query)
{
	char *rest = query, *pair;

	while ((pair = strsep(&rest, "&"))) {
		if (strncmp(pair, ID_KEY, strlen(ID_KEY)) != 0)
			continue;
		pair += strlen(ID_KEY);
		uri_decode(pair, true);
		return *pair ? pair : NULL;
	}
	return NULL;
}

/* @copy is the address, which is changed; @ret_id points into it. */
static int parse_address(const struct tunnels *ts, const char *address, char *copy,
			 const char **ret_id, struct err *err)
{
	char scheme[URI_SCHEME_MAX], *query = NULL;
	char *rest = copy + (uri_scheme(copy, scheme) - copy);
	struct err ignored;

	if (!str_eq(scheme, OURS) || uri_split(rest, &query, &ignored) < 0 ||
	    !str_eq(rest, ts->socket))
		return err_set(err, ERR_UNSUPPORTED,
			       "%.200s is not a stream of this shim (" OURS "://%s?" ID_KEY
			       "ID), and no other is offered",
			       address, ts->socket);
	*ret_id = query_id(query);
	if (!*ret_id)
		return err_set(err, ERR_INVALID, "%.200s names no " ID_KEY "ID", address);
	return 0;
}

int tunnel_take(struct tunnels *ts, const char *address, void *owner, struct tunnel **ret,
		struct err *err)
{
	CLEANUP_FREE char *copy = strdup(address);
	const char *id = NULL;
	struct tunnel *t;

	if (!copy)
		return err_set(err, ERR_NOMEM, "no memory for an address");
	if (parse_address(ts, address, copy, &id, err) < 0)
		return -1;
	t = find(ts, id, strlen(id));
	if (!t)
		return err_set(err, ERR_PRECONDITION, "nobody has opened stream %.200s", id);
	if (t->owner)
		return err_set(err, ERR_EXISTS, "stream %.200s belongs to another process", id);
	t->owner = owner;
	*ret = t;
	return 0;
}

/* Nothing is called back from within the owner's call: a turn of the loop later. */
static void on_again(struct timer *timer)
{
	struct tunnel *t = container_of(timer, struct tunnel, again);

	if (t->input)
		pump_input(t);
	else
		output_watch(t);
}

static void on_pipe(struct source *src)
{
	struct tunnel *t = container_of(src, struct tunnel, pipe);

	if (t->input)
		pump_input(t);
	else
		output_ready(t);
}

int tunnel_start(struct tunnel *t, struct loop *loop, int fd, bool input,
		 void (*on_change)(struct tunnel *), struct err *err)
{
	if (tunnel_running(t) || t->ended)
		return 0;
	t->input = input;
	t->on_change = on_change;
	t->again.on_fire = on_again;
	if (source_init(&t->pipe, loop, fd, 0, on_pipe, err) < 0)
		return -1;
	if (input)
		timer_arm(&t->again, loop, 0);
	else
		output_watch(t);
	return 0;
}

void tunnel_free(struct tunnel *t)
{
	if (!t)
		return;
	if (t->call)
		call_end(t->call);
	drop(t);
}
