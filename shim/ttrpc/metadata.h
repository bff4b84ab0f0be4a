/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "proto/ttrpc.pb-c.h"

/*
 * What a request says of the trace it belongs to (runtime/base/traceparent.h), NULL when that is
 * nothing, or no such thing. Points into it.
 */
const char *metadata_traceparent(const Crossarch__TtrpcRequest *r);
