/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "shim/engine/argv.h"

/*
 * What the `delete` action must know about a container after its shim was killed: which engine
 * holds it and how. A small key=value file in the bundle, written before the engine runs.
 */
#define ENGINE_RECORD_FILE "crossarch.engine"
#define ENGINE_RECORD_ENDED "crossarch.ended" /* the same file, after the engine's delete */

/*
 * @cgroup: the container's cgroup as a path from the hierarchies' roots, NULL or "" if unknown. If
 * a process is in it already, the record says so: then it is not the container's alone.
 */
MUST_CHECK int engine_record_write(const char *bundle, const struct engine *engine,
				   const char *cgroup, struct err *err);

/* The engine has forgotten the container: `delete` need not ask it again, only look for a cgroup.
 */
void engine_record_remove(const char *bundle);

/*
 * Whether the engine still has a state of @id. runc says that it deleted a container also when it
 * could not, and from then on refuses to make one of that name.
 */
bool engine_record_is_known(const struct engine *engine, const char *id);

/* ERR_NOT_FOUND without the file: then no engine was run. Strings of @ret live in @arena. */
MUST_CHECK int engine_record_read(const char *bundle, struct arena *arena, struct engine *ret,
				  struct err *err);

/*
 * An engine that was killed half-way may have made the container's cgroup, and a process in it, and
 * knows nothing of either afterwards. Kills what is in the cgroup that the record names and removes
 * it, provided that it belongs to @id alone.
 */
void engine_record_sweep(const char *bundle, const char *id);

/* The pid in <bundle>/init.pid, 0 when there is none. */
pid_t engine_record_init_pid(const char *bundle);
