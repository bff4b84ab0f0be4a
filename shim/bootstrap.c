/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/bootstrap.h"

#include "proto/options.pb-c.h"
#include "runtime/base/allocator.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "shim/task/options.h"

#define STDIN_MAX (10u << 20)

int bootstrap_decode(const void *bytes, size_t n, struct arena *arena, struct bootstrap *ret,
		     struct err *err)
{
	ProtobufCAllocator alloc = arena_allocator(arena);
	Crossarch__BootstrapParams *params;

	*ret = (struct bootstrap){ NULL, "" };
	if (!n)
		return 0;
	params = crossarch__bootstrap_params__unpack(&alloc, n, bytes);
	if (params && (*params->containerd_version || *params->containerd_ttrpc_address ||
		       *params->containerd_grpc_address)) {
		ret->socket_dir = params->socket_dir;
		for (size_t i = 0; i < params->n_extensions && !ret->options; i++)
			if (params->extensions[i]->value &&
			    options_known(params->extensions[i]->value))
				ret->options = params->extensions[i]->value;
		return 0;
	}
	ret->options = crossarch__any__unpack(&alloc, n, bytes);
	if (!ret->options)
		return err_set(
			err, ERR_INVALID,
			"standard input (%zu bytes) holds neither BootstrapParams nor an Any "
			"with runtime options",
			n);
	return 0;
}

int bootstrap_read(int fd, struct arena *arena, struct bootstrap *ret, struct err *err)
{
	struct buf CLEANUP_BUF in = BUF_INIT(STDIN_MAX);

	if (fd_read_all(fd, "standard input", &in, err) < 0)
		return -1;
	return bootstrap_decode(in.data, in.len, arena, ret, err);
}
