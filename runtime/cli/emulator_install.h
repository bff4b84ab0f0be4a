/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/emulators.h"

/*
 * Registering an emulator without breaking what works: the interpreter is first tried alone, then
 * through the kernel under a temporary name, and only then replaces the handler that was there. The
 * name of our handlers is INSTALL_PREFIX and the architecture.
 */
#define INSTALL_PREFIX "crossarch-"

struct install {
	const struct arch *arch;
	const char *path; /* an interpreter, or a directory that has it; NULL: the usual places */
	bool credentials; /* flag C */
};

enum installed {
	INSTALLED,	     /* registered now */
	INSTALLED_UNCHANGED, /* what is registered already does the same */
};

struct install_result {
	enum installed outcome;
	char handler[64], interpreter[512], flags[8], boot[256];
	char later[256]; /* a file that registers another handler after ours at boot, "" without */
};

/*
 * ERR_NOT_FOUND: no such emulator here; ERR_UNSUPPORTED: not for this node; ERR_PRECONDITION: the
 * interpreter is unfit (the text says why). In each case the table is as it was.
 */
MUST_CHECK int emulator_install(const struct node *n, const struct install *wish,
				struct install_result *ret, struct err *err);

struct remove_result {
	bool handler, boot; /* what was there, and is gone */
};

/* Removes what emulator_install() made for @a, and nothing else. */
MUST_CHECK int emulator_remove(const struct node *n, const struct arch *a,
			       struct remove_result *ret, struct err *err);

/* Finds an interpreter for @a: in @path (a file or directory), or in the usual places when NULL. */
MUST_CHECK int interpreter_find(const struct arch *a, const char *path, char *ret, size_t size,
				struct err *err);

/* ERR_PRECONDITION with the reason when @path cannot serve as an interpreter for @a here. */
MUST_CHECK int interpreter_check(const struct host *host, const struct arch *a, const char *path,
				 struct err *err);
