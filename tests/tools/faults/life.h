/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/tools/faults/stage.h"

/* One container's life with one fault in one of its phases, beside a sibling in the same shim. */
enum phase {
	PH_BOOT,
	PH_CREATE,
	PH_START,
	PH_CONNECT,
	PH_EXEC,
	PH_TERMINAL,
	PH_OUTPUT,
	PH_ABANDONED,
	PH_STOP,
	PH_DELETE,
	PH_CLEAN,
	PHASES
};

extern const char *const phase_name[PHASES];

struct life {
	struct stage *stage;
	struct box box; /* made by the user */
	struct fault fault;
	enum phase at; /* where the fault is */
	struct trace trace;
	struct traced seen;
};

/* What became of the step with the fault. */
enum outcome { OUT_DONE, OUT_FAILED, OUT_ENDED, OUTCOMES };

/*
 * The life up to the fault, the fault, and, where it changed nothing, the rest, or what containerd
 * does when a step fails; then all that has to hold. Where the shim has ended the sibling has, too.
 */
MUST_CHECK int life_run(struct life *l, enum outcome *ret, struct err *err);

/* "ENOMEM in Create of prepare at step 7 (read), lasting" */
void life_describe(const struct life *l, char *ret, size_t size);

/* output.c: an exec that prints a lot to somebody who reads late; the trace may end on the way */
MUST_CHECK int exec_with_output(struct life *l, struct err *err);
