/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/rpc_status.h"

#include "runtime/base/mem.h"

struct code {
	const char *name;
	enum err_code err;
};

/* Index: the gRPC status code. A code without a class of ours is a failure of the transport. */
static const struct code codes[] = {
	[0] = { "OK", ERR_NONE },
	[1] = { "Canceled", ERR_IO },
	[2] = { "Unknown", ERR_IO },
	[3] = { "InvalidArgument", ERR_INVALID },
	[4] = { "DeadlineExceeded", ERR_TIMEOUT },
	[5] = { "NotFound", ERR_NOT_FOUND },
	[6] = { "AlreadyExists", ERR_EXISTS },
	[7] = { "PermissionDenied", ERR_IO },
	[8] = { "ResourceExhausted", ERR_LIMIT },
	[9] = { "FailedPrecondition", ERR_PRECONDITION },
	[10] = { "Aborted", ERR_IO },
	[11] = { "OutOfRange", ERR_INVALID },
	[12] = { "Unimplemented", ERR_UNSUPPORTED },
	[13] = { "Internal", ERR_IO },
	[14] = { "Unavailable", ERR_IO },
	[15] = { "DataLoss", ERR_IO },
	[16] = { "Unauthenticated", ERR_IO },
};

const char *rpc_code_name(unsigned int code)
{
	return code < ARRAY_SIZE(codes) ? codes[code].name : "Unknown";
}

enum err_code rpc_code_class(unsigned int code)
{
	return code < ARRAY_SIZE(codes) ? codes[code].err : ERR_IO;
}
