/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * The W3C's traceparent (w3.org/TR/trace-context), by which a request says what trace it belongs
 * to: "00-" TRACE "-" SPAN "-" FLAGS, lower-case hexadecimal digits. containerd sends it in the
 * metadata of a TTRPC request (github.com/containerd/otelttrpc).
 */
#define TRACEPARENT_KEY "traceparent"
#define TRACEPARENT_LEN 55
#define TRACE_ID_LEN 32
#define SPAN_ID_LEN 16

/* What of it names the trace, and the caller's span in it; terminated. */
struct trace {
	char trace_id[TRACE_ID_LEN + 1];
	char span_id[SPAN_ID_LEN + 1];
};

/* False for what is not one, or whose ids are all zeros: that belongs to no trace. */
bool traceparent_parse(const char *s, struct trace *ret);
