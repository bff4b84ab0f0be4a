/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/progress.h"

#include "proto/containerd.pb-c.h"
#include "runtime/base/arena.h"
#include "runtime/base/str.h"
#include "runtime/containerd/content_info.h"

#define ANSWER_MAX (16u << 20)

static int content_here(struct rpc *rpc, const char *digest, bool *ret, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	const Containerd__ContentInfo *info;

	*ret = content_info(rpc, digest, &arena, &info, err) == 0;
	return *ret || err->code == ERR_NOT_FOUND ? 0 : -1;
}

static int64_t written(const Containerd__ContentStatusReply *all, const char *digest)
{
	for (size_t i = 0; i < all->n_statuses; i++) {
		const char *of = str_after(all->statuses[i]->ref, "layer-");

		if (of && str_eq(of, digest))
			return all->statuses[i]->offset;
	}
	return -1;
}

/* What is being written is asked for first: a layer that becomes whole in between is in the second.
 */
static int add_layers(struct rpc *rpc, const Containerd__ContentStatusReply *all,
		      const struct image_layers *layers, struct progress *ret, struct err *err)
{
	for (size_t i = 0; i < layers->n; i++) {
		const struct image_layer *l = &layers->list[i];
		int64_t n = written(all, l->digest);
		bool here = false;

		if (n < 0 && content_here(rpc, l->digest, &here, err) < 0)
			return -1;
		ret->total += l->size;
		ret->have += here ? l->size : n > 0 ? n : 0;
	}
	return 0;
}

int progress_read(struct rpc *rpc, const struct image_layers *layers, struct progress *ret,
		  struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	Containerd__ContentStatusList request = CONTAINERD__CONTENT_STATUS_LIST__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.content.v1.Content/ListStatuses",
		.request = &request.base,
		.reply = &containerd__content_status_reply__descriptor,
	};
	ProtobufCMessage *m;

	if (rpc_unary(rpc, &call, &arena, &m, err) < 0)
		return -1;
	*ret = (struct progress){ 0, 0 };
	return add_layers(rpc, (const void *)m, layers, ret, err);
}
