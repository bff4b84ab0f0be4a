/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "shim/task/task.h"

/* Starts a registered exec: the check of its program, stdio, the engine. Takes the call. */
void exec_start(struct process *p, struct call *call);

#define PROCESS_JSON_MAX (4u << 20)

/* Appends the OCI process of an exec, as containerd sent it, to @json. */
MUST_CHECK int exec_read_process(const struct process *p, struct buf *json, struct err *err);

/* Removes the files an exec left in the bundle. */
void exec_remove_files(const struct process *p);
