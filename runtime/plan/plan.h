/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/plan/cause.h"
#include "runtime/plan/facts.h"
#include "runtime/prepare/report.h"

/*
 * The decision: facts in, verdict out; no system calls, nothing remembered. It refuses only what is
 * certain to fail or what the configuration forbids; where facts are missing it lets the engine
 * try.
 */
struct plan {
	enum verdict verdict;		    /* never VERDICT_NONE */
	enum cause cause;		    /* VERDICT_REFUSE */
	const struct arch *guest;	    /* architecture that will run, NULL when not known */
	const struct binfmt_entry *handler; /* VERDICT_EMULATE, and causes about a handler */
	size_t byte;			    /* CAUSE_HEADER: which one */
	const char *cpu;    /* VERDICT_EMULATE: processor model for the emulator, "" without */
	bool adapt_seccomp; /* VERDICT_EMULATE: the profile must be translated */
	/* VERDICT_EMULATE: x86-64 levels for which the emulator itself has to be asked, by somebody
	 * who may run it; 0: none */
	unsigned int program_level, image_level;
	enum cause warnings[REPORT_WARNINGS];
	size_t n_warnings;
};

void plan_make(const struct facts *f, struct plan *ret);
