/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * Running another program to its end, with a limit in time. Only the program's own file is
 * executed, never a shell in its place. What the program spends ready to run, while others have the
 * processor, does not count: a loaded node is not the program's fault.
 */
struct subprocess {
	const char *path; /* absolute */
	char *const *argv;
	char *const *envp; /* NULL: an empty environment */
	int keep_fd;	   /* a descriptor the program inherits under its number, -1 without */
	unsigned int timeout_ms; /* without what others had of the processor meanwhile */
	struct buf *out;	 /* takes stdout, up to its maximum; NULL throws it away */
	bool with_stderr;	 /* stderr goes to @out as well */
};

enum subprocess_end {
	SUBPROCESS_REFUSED, /* the kernel did not execute it: value is the errno */
	SUBPROCESS_EXITED,  /* value is the exit status */
	SUBPROCESS_KILLED,  /* value is the signal */
	SUBPROCESS_TIMEOUT, /* and was killed */
};

struct subprocess_result {
	enum subprocess_end end;
	int value;
};

/* ERR_IO when we ourselves fail; whatever the program does is a result. */
MUST_CHECK int subprocess_run(const struct subprocess *r, struct subprocess_result *ret,
			      struct err *err);

/* "exits with 1", "is killed by signal 11 (Segmentation fault)" and so on. */
void subprocess_describe(const struct subprocess_result *r, char *text, size_t size);
