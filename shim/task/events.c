/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/events.h"

#include <string.h>
#include <time.h>

#include "proto/events.pb-c.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"

#define EVENTS_SERVICE "containerd.services.events.ttrpc.v1.Events"
#define CALL_BOUND_NS S_TO_NS(5)
#define RETRY_FIRST_NS MS_TO_NS(50)
#define RETRY_MAX_NS S_TO_NS(5)
#define REFUSALS_MAX 5
/* What fits into a frame with the envelope of a request around it. */
#define EVENT_BYTES_MAX (FRAME_MAX - 1024)

struct event {
	struct list queued;
	bool is_exit;
	size_t n;
	uint8_t packed[]; /* ForwardRequest */
};

static void send_next(struct events *e);

static void event_free(struct events *e, struct event *ev)
{
	list_del(&ev->queued);
	e->queued--;
	free(ev);
}

static void later(struct events *e)
{
	uint64_t pause = RETRY_FIRST_NS << (e->failures < 7 ? e->failures : 7);

	e->failures++;
	timer_arm(&e->retry, e->loop, pause < RETRY_MAX_NS ? pause : RETRY_MAX_NS);
}

static void on_retry(struct timer *t)
{
	send_next(container_of(t, struct events, retry));
}

/* NOLINTBEGIN(misc-no-recursion): one deep, for a call that cannot begin is never "refused" */
static void taken(struct events *e)
{
	struct event *ev = list_first(&e->queue, struct event, queued);

	e->failures = 0;
	if (ev)
		event_free(e, ev);
	send_next(e);
}

/*
 * An event that containerd refuses REFUSALS_MAX times in a row is given up: it would block all
 * others for ever. While containerd does not answer at all, nothing is given up: the order is worth
 * more than the queue's length (the Go shim drops after five tries of any kind).
 */
static void on_sent(struct client *client, const struct err *failed)
{
	struct events *e = container_of(client, struct events, client);

	if (!failed) {
		if (e->dropped)
			log_warning(e->about, "%u events were dropped while containerd was away",
				    e->dropped);
		e->dropped = 0;
		taken(e);
	} else if (failed->code == ERR_PRECONDITION && e->failures >= REFUSALS_MAX) {
		log_write(LOG_ERROR, e->about, LOG_FIELDS(.error = failed->text),
			  "an event is given up");
		taken(e);
	} else {
		if (!e->failures)
			log_write(LOG_WARNING, e->about, LOG_FIELDS(.error = failed->text),
				  "publishing events waits");
		later(e);
	}
}

static void send_next(struct events *e)
{
	struct event *ev = list_first(&e->queue, struct event, queued);
	struct err err;

	if (!ev) {
		if (e->on_empty)
			e->on_empty(e);
		return;
	}
	if (e->client.busy || timer_armed(&e->retry))
		return;
	if (client_call(&e->client, EVENTS_SERVICE, "Forward", ev->packed, ev->n, CALL_BOUND_NS,
			&err) < 0)
		on_sent(&e->client, &err);
}
/* NOLINTEND(misc-no-recursion) */

void events_init(struct events *e, struct loop *loop, const char *address, const char *ns)
{
	*e = (struct events){ .loop = loop, .ns = ns };
	list_init(&e->queue);
	e->retry.on_fire = on_retry;
	client_init(&e->client, loop, address, on_sent);
}

void events_deinit(struct events *e)
{
	struct event *ev;

	timer_disarm(&e->retry);
	client_deinit(&e->client);
	while ((ev = list_first(&e->queue, struct event, queued)))
		event_free(e, ev);
}

/* The head may be on its way; it is never dropped. */
static void drop_one(struct events *e)
{
	struct event *victim = NULL;

	list_for_each(node, &e->queue) {
		struct event *ev = list_entry(node, struct event, queued);

		if (node == e->queue.next)
			continue;
		if (!victim || !ev->is_exit)
			victim = ev;
		if (!ev->is_exit)
			break;
	}
	if (!victim)
		return;
	if (!e->dropped++)
		log_error(e->about, "more than %d events wait for containerd: dropping the oldest",
			  EVENTS_MAX);
	event_free(e, victim);
}

static struct event *event_new(const Crossarch__ForwardRequest *request, bool is_exit,
			       struct err *err)
{
	size_t n = crossarch__forward_request__get_packed_size(request);
	struct event *ev = n > EVENT_BYTES_MAX ? NULL : malloc(sizeof(*ev) + n);

	if (!ev) {
		err_set(err, ERR_LIMIT,
			n > EVENT_BYTES_MAX ? "it has %zu bytes" : "no memory for %zu bytes", n);
		return NULL;
	}
	ev->is_exit = is_exit;
	ev->n = crossarch__forward_request__pack(request, ev->packed);
	list_init(&ev->queued);
	return ev;
}

void events_publish(struct events *e, const char *topic, const char *type,
		    const ProtobufCMessage *event)
{
	Crossarch__ForwardRequest request = CROSSARCH__FORWARD_REQUEST__INIT;
	Crossarch__Envelope envelope = CROSSARCH__ENVELOPE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	Crossarch__Any any = CROSSARCH__ANY__INIT;
	size_t n = protobuf_c_message_get_packed_size(event);
	CLEANUP_FREE uint8_t *packed = malloc(n + 1);
	struct timespec now;
	struct event *ev;
	struct err err;

	if (!*e->client.path)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	at.seconds = now.tv_sec;
	at.nanos = (int32_t)now.tv_nsec;
	any.type_url = (char *)(uintptr_t)type;
	any.value.data = packed;
	any.value.len = packed ? protobuf_c_message_pack(event, packed) : 0;
	envelope.timestamp = &at;
	envelope.namespace_ = (char *)(uintptr_t)e->ns;
	envelope.topic = (char *)(uintptr_t)topic;
	envelope.event = &any;
	request.envelope = &envelope;
	err_set(&err, ERR_NOMEM, "no memory for %zu bytes", n);
	ev = packed ? event_new(&request, str_eq(topic, "/tasks/exit"), &err) : NULL;
	if (!ev) {
		log_write(LOG_ERROR, e->about, LOG_FIELDS(.error = err.text), "event %s lost",
			  topic);
		return;
	}
	if (e->queued >= EVENTS_MAX)
		drop_one(e);
	list_add(&e->queue, &ev->queued);
	e->queued++;
	send_next(e);
}
