/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/rpc.h"

/* Calls @method, whose answer says nothing. Errors as those of rpc_unary(). */
MUST_CHECK int rpc_tell(struct rpc *rpc, const char *method, const ProtobufCMessage *request,
			struct err *err);
