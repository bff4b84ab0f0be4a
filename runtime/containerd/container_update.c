/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/container_update.h"

#include "proto/containerd.pb-c.h"
#include "runtime/containerd/rpc_tell.h"

/* protobuf-c's fields are not const, and packing never writes to them. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

int container_update_spec(struct rpc *rpc, const char *id, const char *type, const char *spec,
			  size_t n, struct err *err)
{
	Containerd__ContainerChange change = CONTAINERD__CONTAINER_CHANGE__INIT;
	Containerd__Container container = CONTAINERD__CONTAINER__INIT;
	Containerd__Any any = CONTAINERD__ANY__INIT;
	Containerd__Mask mask = CONTAINERD__MASK__INIT;
	char *paths[] = { text("spec") };

	any.type_url = text(type);
	any.value.data = (uint8_t *)(uintptr_t)spec;
	any.value.len = n;
	container.id = text(id);
	container.spec = &any;
	mask.paths = paths;
	mask.n_paths = 1;
	change.container = &container;
	change.mask = &mask;
	return rpc_tell(rpc, "/containerd.services.containers.v1.Containers/Update", &change.base,
			err);
}
