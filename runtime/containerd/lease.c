/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/lease.h"

#include <time.h>

#include "proto/containerd.pb-c.h"
#include "runtime/containerd/rpc_tell.h"

int lease_begin(struct rpc *rpc, const char *id, unsigned int seconds, struct err *err)
{
	Containerd__LeaseCreate request = CONTAINERD__LEASE_CREATE__INIT;
	Containerd__Label expire = CONTAINERD__LABEL__INIT, *labels[] = { &expire };
	char key[] = "containerd.io/gc.expire", value[40];
	time_t end = time(NULL) + seconds;
	struct tm tm;

	gmtime_r(&end, &tm);
	strftime(value, sizeof(value), "%Y-%m-%dT%H:%M:%SZ", &tm);
	expire.key = key;
	expire.value = value;
	request.id = (char *)(uintptr_t)id;
	request.n_labels = 1;
	request.labels = labels;
	if (rpc_tell(rpc, "/containerd.services.leases.v1.Leases/Create", &request.base, err) < 0)
		return -1;
	rpc_use_lease(rpc, id);
	return 0;
}

static int delete (struct rpc *rpc, const char *id, bool sync, struct err *err)
{
	Containerd__LeaseDelete request = CONTAINERD__LEASE_DELETE__INIT;

	request.id = (char *)(uintptr_t)id;
	request.sync = sync;
	return rpc_tell(rpc, "/containerd.services.leases.v1.Leases/Delete", &request.base, err);
}

int lease_end(struct rpc *rpc, const char *id, struct err *err)
{
	return delete (rpc, id, false, err);
}

int lease_drop(struct rpc *rpc, const char *id, struct err *err)
{
	return delete (rpc, id, true, err);
}

/* The strings stay those of the reply. */
int lease_list(struct rpc *rpc, const char *id, struct arena *arena, struct lease_resource **ret,
	       size_t *ret_n, struct err *err)
{
	Containerd__LeaseResources request = CONTAINERD__LEASE_RESOURCES__INIT;
	const struct rpc_call call = {
		.method = "/containerd.services.leases.v1.Leases/ListResources",
		.request = &request.base,
		.reply = &containerd__lease_resources_reply__descriptor,
	};
	const Containerd__LeaseResourcesReply *reply;
	ProtobufCMessage *m;

	request.id = (char *)(uintptr_t)id;
	if (rpc_unary(rpc, &call, arena, &m, err) < 0)
		return -1;
	reply = (const void *)m;
	*ret = arena_alloc(arena, (reply->n_resources + 1) * sizeof(**ret));
	if (!*ret)
		return err_set(err, ERR_NOMEM, "no memory for what a lease keeps");
	for (size_t i = 0; i < reply->n_resources; i++)
		(*ret)[i] = (struct lease_resource){ reply->resources[i]->id,
						     reply->resources[i]->type };
	*ret_n = reply->n_resources;
	return 0;
}
