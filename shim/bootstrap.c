/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/bootstrap.h"

#include <string.h>

#include "proto/options.pb-c.h"
#include "runtime/base/allocator.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/socket.h"
#include "shim/task/options.h"

#define STDIN_MAX (10u << 20)
#define LEVEL_DEBUG (-4) /* containerd.runtime.bootstrap.v1.LogLevel; TRACE is below */
#define ANSWER_VERSION 3

/* --- reading -------------------------------------------------------------------------------- */

static bool is_ours(const Crossarch__BootstrapParams *p, const struct args *a)
{
	if (*a->id)
		return str_eq(p->instance_id, a->id) && str_eq(p->namespace_, a->namespace);
	return *p->containerd_version || *p->containerd_ttrpc_address ||
	       *p->containerd_grpc_address;
}

/* A path so far, a URI by its description in bootstrap.proto. */
static const char *path_of(const char *address)
{
	const char *path = str_after(address, "unix://");

	return path ? path : address;
}

static void take(const Crossarch__BootstrapParams *p, struct bootstrap *ret)
{
	*ret = (struct bootstrap){
		.socket_dir = p->socket_dir,
		.params = true,
		.id = p->instance_id,
		.namespace = p->namespace_,
		.grpc_address = path_of(p->containerd_grpc_address),
		.ttrpc_address = path_of(p->containerd_ttrpc_address),
		.containerd = p->containerd_binary,
		.debug = p->log_level <= LEVEL_DEBUG,
	};
	for (size_t i = 0; i < p->n_extensions && !ret->options; i++)
		if (p->extensions[i]->value && options_known(p->extensions[i]->value))
			ret->options = p->extensions[i]->value;
}

int bootstrap_decode(const void *bytes, size_t n, const struct args *a, struct arena *arena,
		     struct bootstrap *ret, struct err *err)
{
	ProtobufCAllocator alloc = arena_allocator(arena);
	Crossarch__BootstrapParams *params;

	*ret = (struct bootstrap){ NULL, "", false, "", "", "", "", "", false };
	if (!n)
		return 0;
	params = crossarch__bootstrap_params__unpack(&alloc, n, bytes);
	if (params && is_ours(params, a)) {
		take(params, ret);
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

int bootstrap_read(int fd, const struct args *a, struct arena *arena, struct bootstrap *ret,
		   struct err *err)
{
	struct buf CLEANUP_BUF in = BUF_INIT(STDIN_MAX);

	if (fd_read_all(fd, "standard input", &in, err) < 0)
		return -1;
	return bootstrap_decode(in.data, in.len, a, arena, ret, err);
}

void bootstrap_complete(const struct bootstrap *b, struct args *a)
{
	if (!*a->id)
		a->id = b->id;
	if (!*a->namespace)
		a->namespace = b->namespace;
	if (!*a->address)
		a->address = b->grpc_address;
	if (!*a->publish_binary)
		a->publish_binary = b->containerd;
	a->debug = a->debug || b->debug;
}

/* --- answering ------------------------------------------------------------------------------ */

static int write_result(const char *address, int fd)
{
	Crossarch__BootstrapResult result = CROSSARCH__BOOTSTRAP_RESULT__INIT;
	uint8_t packed[SOCKET_PATH_MAX + 64];

	result.version = ANSWER_VERSION;
	result.address = (char *)(uintptr_t)address;
	result.protocol = (char *)(uintptr_t) "ttrpc";
	return fd_write_all(fd, packed, crossarch__bootstrap_result__pack(&result, packed));
}

int bootstrap_answer(const struct bootstrap *b, const char *address, int fd, struct err *err)
{
	int rc = b->params ? write_result(address, fd) : fd_write_all(fd, address, strlen(address));

	return rc < 0 ? err_sys(err, ERR_IO, "print the address") : 0;
}
