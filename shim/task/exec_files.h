/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "shim/task/task.h"

/*
 * The files of an exec in the bundle. The OCI process that containerd sends with Exec waits there,
 * not in the resident shim's memory; the engine reads that same file.
 */
#define EXEC_PROCESS "process.json"
#define EXEC_PID "pid" /* written by the engine */
#define PROCESS_JSON_MAX (4u << 20)

/* The path of the file @what of @p. ERR_INVALID when it does not fit into @size bytes. */
MUST_CHECK int exec_path(const struct process *p, const char *what, char *ret, size_t size,
			 struct err *err);

/* Keeps the OCI process as containerd sent it. */
MUST_CHECK int exec_write_process(const struct process *p, const void *json, size_t n,
				  struct err *err);

/* Appends the OCI process to @json. */
MUST_CHECK int exec_read_process(const struct process *p, struct buf *json, struct err *err);

/*
 * Puts the one that prepare wrote in its place: with the emulator's settings, or with the request's
 * terminal.
 */
MUST_CHECK int exec_use_patched(const struct process *p, struct err *err);

/* Removes all of them. */
void exec_remove_files(const struct process *p);
