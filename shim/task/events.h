/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "runtime/base/log.h"
#include "shim/loop/loop.h"
#include "shim/ttrpc/ttrpc_client.h"

/*
 * The ordered queue of events to containerd (shim/README.md, Events). One event is on its way at a
 * time and stays at the head until containerd has taken it, so a retry can never let an exit
 * overtake a start. While containerd is away, sending is tried again with growing pauses. The queue
 * is bounded; when it overflows, the oldest event that is not an exit is dropped, and that is
 * logged once per outage.
 */
#define EVENTS_MAX 2048

struct events {
	struct client client;
	struct loop *loop;
	const char *ns;		  /* containerd namespace, not owned */
	struct log_subject about; /* of its lines in the log */
	struct list queue;
	unsigned int queued, dropped, failures;
	struct timer retry;
	void (*on_empty)(struct events *); /* optional: the last event was taken */
};

/* @address: containerd's TTRPC socket; "" publishes nothing. Neither string is copied. */
void events_init(struct events *e, struct loop *loop, const char *address, const char *ns);
void events_deinit(struct events *e);

/*
 * Queues one event. @topic starts with "/"; @type is the full message name; @event is packed at
 * once. An event that there is no memory for, or that is too large for a frame, is lost, and that
 * is logged: an event never fails the operation it reports, and never holds up those behind it.
 */
void events_publish(struct events *e, const char *topic, const char *type,
		    const ProtobufCMessage *event);
