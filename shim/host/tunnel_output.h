/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/tunnel_state.h"

/* What a process writes, on its way to the client. None of these calls back. */

/* Waits for what is needed next: output, its end, or nothing while the client has to do something.
 */
void output_watch(struct tunnel *t);

/* The process' side is ready. */
void output_ready(struct tunnel *t);

/* The client takes @n bytes more. */
void output_credit(struct tunnel *t, uint32_t n);

/* Output waits for the client rather than for the process. */
bool tunnel_blocked(const struct tunnel *t);

/* Bytes that the client has surely not taken; 0 may still mean some. */
size_t tunnel_unread(const struct tunnel *t);
