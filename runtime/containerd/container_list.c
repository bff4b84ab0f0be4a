/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/container_list.h"

#include <string.h>

#include "proto/containerd.pb-c.h"
#include "runtime/base/str.h"

struct list {
	struct arena *arena;
	struct container_entry *entries;
	size_t n, cap;
};

/* The old place stays in the arena until all of it goes. */
static int grow(struct list *l, struct err *err)
{
	size_t cap = l->cap ? 2 * l->cap : 64;
	struct container_entry *entries;

	if (l->n < l->cap)
		return 0;
	entries = arena_alloc(l->arena, cap * sizeof(*entries));
	if (!entries)
		return err_set(err, ERR_NOMEM, "no memory for %zu containers", cap);
	if (l->n)
		memcpy(entries, l->entries, l->n * sizeof(*entries));
	l->entries = entries;
	l->cap = cap;
	return 0;
}

/* Bytes on the wire, without a terminator. */
static int spec_text(const Containerd__Any *any, struct arena *arena, const char **ret,
		     struct err *err)
{
	char *text = any ? arena_alloc(arena, any->value.len + 1) : NULL;

	*ret = text;
	if (!any)
		return 0;
	if (!text)
		return err_set(err, ERR_NOMEM, "no memory for %zu bytes", any->value.len);
	if (any->value.len)
		memcpy(text, any->value.data, any->value.len);
	return 0;
}

/* Where nerdctl keeps what people call the container (its pkg/labels). */
#define NERDCTL_NAME "nerdctl/name"

static const char *name_of(const Containerd__Container *c)
{
	for (size_t i = 0; i < c->n_labels; i++)
		if (str_eq(c->labels[i]->key, NERDCTL_NAME))
			return c->labels[i]->value;
	return "";
}

static int add(void *ctx, ProtobufCMessage *message, struct err *err)
{
	const Containerd__Container *c =
		((const Containerd__ContainerReply *)(const void *)message)->container;
	struct list *l = ctx;
	const char *spec;

	if (!c)
		return 0;
	if (grow(l, err) < 0 || spec_text(c->spec, l->arena, &spec, err) < 0)
		return -1;
	l->entries[l->n++] = (struct container_entry){
		.id = c->id,
		.image = c->image,
		.runtime = c->runtime ? c->runtime->name : "",
		.snapshotter = c->snapshotter,
		.snapshot = c->snapshot_key,
		.spec = spec,
		.name = name_of(c),
		.created = c->created_at ? c->created_at->seconds : 0,
		.created_ns = c->created_at ? c->created_at->nanos : 0,
	};
	return 0;
}

int container_list(struct rpc *rpc, struct arena *arena, struct container_entry **ret,
		   size_t *ret_n, struct err *err)
{
	Containerd__ContainerList request = CONTAINERD__CONTAINER_LIST__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.containers.v1.Containers/ListStream",
		.request = &request.base,
		.reply = &containerd__container_reply__descriptor,
	};
	struct list l = { .arena = arena };

	if (rpc_stream(rpc, &call, arena, add, &l, err) < 0)
		return -1;
	*ret = l.entries;
	*ret_n = l.n;
	return 0;
}
