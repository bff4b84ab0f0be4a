/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/operation.h"

/*
 * The directory in which criu works, and leaves its log, during a checkpoint or restore. The stock
 * shim takes the one that its client names, or else one beside the bundle that is gone after a
 * checkpoint, of whose log a copy stays if it failed (cmd/containerd-shim-runc-v2/process/init.go).
 * Ours stays where it is then, until the container goes.
 */

/*
 * Chooses @wanted, or for NULL or "" a directory of the container's own, for the checkpoint or
 * restore @op. *@ret lives as long as @op. When the engine fails, what criu wrote into @log there
 * is part of the error.
 */
MUST_CHECK int criu_work_begin(struct operation *op, const char *wanted, const char *log,
			       const char **ret, struct err *err);

/* It went well: removes the container's own directory. A client's is the client's. */
void criu_work_end(struct operation *op);
