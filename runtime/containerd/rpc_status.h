/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/* gRPC status codes that we set ourselves; the others only pass through. */
enum rpc_code {
	RPC_OK = 0,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
};

/* The name Go prints for a code ("FailedPrecondition"), which is what operators see in events. */
const char *rpc_code_name(unsigned int code);

/* Our class for a gRPC code; ERR_IO for one nobody has heard of. */
enum err_code rpc_code_class(unsigned int code);
