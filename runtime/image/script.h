/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The kernel looks at this many bytes of a program (BINPRM_BUF_SIZE since Linux 5.1). */
#define PROGRAM_HEAD 256

enum script_result {
	SCRIPT_NONE,	 /* does not start with "#!" */
	SCRIPT_NAMELESS, /* "#!" without an interpreter's name */
	SCRIPT_LONG,	 /* the name goes on beyond PROGRAM_HEAD bytes */
	SCRIPT_OK,
};

struct script {
	char interpreter[PROGRAM_HEAD];
	char argument[PROGRAM_HEAD]; /* the rest of the line, "" without: one argument for it */
	bool crlf;		     /* a carriage return is part of the interpreter's name */
};

/*
 * Reads a "#!" line as Linux's fs/binfmt_script.c does, out of the first bytes of a file; what is
 * missing to PROGRAM_HEAD bytes counts as NUL. @ret is filled only for SCRIPT_OK.
 */
enum script_result script_read(const void *bytes, size_t n, struct script *ret);
