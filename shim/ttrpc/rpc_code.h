/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/* The google.rpc code that an error is sent as (google.golang.org/grpc/codes has the numbers). */
int err_rpc_code(enum err_code code);
