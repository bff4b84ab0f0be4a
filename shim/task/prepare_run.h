/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"
#include "shim/task/operation.h"

/*
 * One run of crossarch-prepare, or of `crossarch choose-platform`, and the records that come from
 * it, one at a time. A record is taken as soon as it is complete, without waiting for prepare to
 * end. Once prepare has ended, only what has arrived by then counts: another process that still
 * holds the pipe is not waited for.
 */
struct prepare_run {
	struct run run;
	struct source readable;	 /* of @fd, muted while a record waits to be taken */
	struct timer again;	 /* looks once more when prepare has ended */
	int fd;			 /* read end, -1 when none */
	int passed;		 /* descriptor that came with the first record; owned, -1: none */
	bool may_pass;		 /* one may come with the next record */
	struct report *incoming; /* what has been read of a record; owned */
	size_t have;		 /* bytes of it */
	bool waiting;		 /* @done is still to be called */
	bool ended;		 /* prepare has ended */
	uint32_t code;		 /* the exit code it ended with */
	const char *name;	 /* the program, for errors */
	/* A record is there, or prepare ended without another: prepare_run_take() tells which. */
	void (*done)(struct prepare_run *);
};

void prepare_run_init(struct prepare_run *q);
void prepare_run_deinit(struct prepare_run *q);

/* Stops listening: nothing that it could still say matters now. */
void prepare_run_stop(struct prepare_run *q);

/*
 * request_memfd() of @r for programs that are run for @op. Who they are run for, and so what their
 * lines in the log are about, is filled in here: id, exec, namespace, sandbox, traceparent.
 */
MUST_CHECK int prepare_run_request(const struct operation *op, const struct prepare_request *r,
				   int *ret_fd, struct err *err);

/*
 * Runs prepare with @mode. @request is what prepare_run_request() made; @platform becomes its
 * FD_PLATFORM, -1 for none. Both stay the caller's.
 */
MUST_CHECK int prepare_run_start(struct prepare_run *q, struct operation *op, const char *mode,
				 int request, int platform, void (*done)(struct prepare_run *),
				 struct err *err);

/*
 * Runs `crossarch` with @argv in the same way. It may write the request anew, for the prepare that
 * comes after it.
 */
MUST_CHECK int prepare_run_cli(struct prepare_run *q, struct operation *op, const char *const *argv,
			       int request, void (*done)(struct prepare_run *), struct err *err);

/*
 * The record that @done was called for. Another may follow if prepare_run_next() is called
 * afterwards.
 */
MUST_CHECK int prepare_run_take(struct prepare_run *q, struct report *ret, struct err *err);

/* Waits for the next record: @done follows. */
void prepare_run_next(struct prepare_run *q);
