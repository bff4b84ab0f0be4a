/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/prepare_run.h"

/*
 * The platform check of one Create or one exec: crossarch-prepare, fed by `crossarch
 * image-platform` through a pipe that the shim never reads, because what an image says of itself is
 * for prepare alone. The check of a Create first says what is decided (decided.h) and then, once or
 * twice, whether the program runs. Where config.json or the process of an exec has to be edited, a
 * second prepare that has not seen the image does so before the answer is handed on.
 */
struct platform_check {
	struct child platform; /* image-platform; ended when prepare has answered */
	struct prepare_run prepare, edit;
	struct run models;
	int models_fd;	       /* read end, -1 when none */
	bool decides;	       /* the next record is what is decided */
	bool two;	       /* a second answer may follow the next one */
	bool edited;	       /* mode edit has run, or has no part in this */
	struct report *answer; /* owned; NULL: none, for @why */
	struct err why;
	char cpu_arch[32]; /* of the emulator that is to know answer->cpu */
	/* An answer is there, or there is none: platform_check_report() tells which. */
	void (*done)(struct operation *);
};

void platform_check_init(struct platform_check *c);
void platform_check_deinit(struct platform_check *c);

/* Stops listening: nothing that it could still say matters now. */
void platform_check_stop(struct platform_check *c);

/*
 * Starts the check of a new container, with @request as request_memfd() made it; with @declared it
 * says what the image declares, otherwise containerd is asked. What the check decides goes to the
 * task by itself; @done follows on the operation for the answer, a second time if the first one
 * says REPORT_MORE.
 */
MUST_CHECK int platform_check_create(struct platform_check *c, struct operation *op, int request,
				     bool declared, void (*done)(struct operation *),
				     struct err *err);

/* Starts the check of an exec: no image, no mounts. */
MUST_CHECK int platform_check_exec(struct platform_check *c, struct operation *op,
				   const struct prepare_request *r,
				   void (*done)(struct operation *), struct err *err);

/* Starts the registration of an emulator for one pod (shim/task/private_step.h). */
MUST_CHECK int platform_check_private(struct platform_check *c, struct operation *op,
				      const struct prepare_request *r,
				      void (*done)(struct operation *), struct err *err);

/* Starts the look at a process that ended: r->exit_status, and r->process for an exec. */
MUST_CHECK int platform_check_after(struct platform_check *c, struct operation *op,
				    const struct prepare_request *r,
				    void (*done)(struct operation *), struct err *err);

/*
 * A processor model that is set has to be one that the emulator knows, and the processor that it
 * imitates has to have the x86-64 level that an amd64 program asks for. Only the emulator can tell,
 * and prepare executes nothing, so `crossarch cpu-models` asks it. False when there is nothing to
 * ask.
 */
bool platform_check_has_cpu(const struct operation *op, const struct report *r);
MUST_CHECK int platform_check_cpu(struct platform_check *c, struct operation *op,
				  const struct report *r, void (*done)(struct run *, uint32_t code),
				  struct err *err);

/* The answer: -1 with the line for the person when the model is refused. */
MUST_CHECK int platform_check_cpu_answer(struct platform_check *c, struct operation *op,
					 uint32_t code, struct err *err);

/*
 * prepare's report, whatever the verdict (the caller frees it), or NULL and why there is none.
 */
struct report *platform_check_read(struct platform_check *c, struct operation *op, struct err *err);

/*
 * prepare's report when the program may run (the caller frees it), else NULL and the reason; a
 * refusal is ERR_PRECONDITION with the diagnosis line as its whole text. Logs the line for an
 * emulated program and the warnings, once the report is the last one.
 */
struct report *platform_check_report(struct platform_check *c, struct operation *op,
				     struct err *err);
