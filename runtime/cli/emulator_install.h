/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/emulators.h"

/*
 * Registering an emulator without breaking what works: the interpreter is first tried alone, then
 * through the kernel under a temporary name, and only then replaces the handler that was there. The
 * name of our handlers is EMULATOR_PREFIX and the architecture, whichever the emulator: there is
 * one for each architecture. One of that name that another installer registered is not replaced
 * unless forced.
 *
 * The kernel uses the newest handler, so ours takes programs away from one that somebody else
 * registered. From another qemu that is what is wanted. One of another kind, such as Rosetta,
 * serves its node's own programs in ways that ours does not: if it works it stays, unless forced.
 */
struct install {
	const struct arch *arch;
	const struct emulator_kind *kind; /* NULL: what is there and works, else qemu */
	const char *path; /* an interpreter, or a directory that has it; NULL: the usual places */
	bool credentials; /* flag C */
	bool force;	  /* also in front of somebody else's that works, or in the place of one */
};

enum installed {
	INSTALLED,	     /* registered now */
	INSTALLED_UNCHANGED, /* what is registered already does the same */
};

struct install_result {
	enum installed outcome;
	const struct emulator_kind *kind;
	char handler[128], interpreter[512], flags[8];
	char boot[256]; /* what registers it again; "" for somebody else's that nothing here does */
	bool lasts;	/* also after a reboot; false for ours on a read-only root */
	char covered[400]; /* somebody else's handler of another kind that ours comes before, "" */
	char later[256]; /* a file that registers another handler after ours at boot, "" without */
};

/*
 * ERR_NOT_FOUND: no such emulator here; ERR_UNSUPPORTED: not for this node, or not what that kind
 * runs; ERR_PRECONDITION: the interpreter is unfit (the text says why); ERR_EXISTS: it would take
 * the place of somebody else's. In each case the table is as it was.
 */
MUST_CHECK int emulator_install(const struct node *n, const struct install *wish,
				struct install_result *ret, struct err *err);

struct remove_result {
	bool handler, boot; /* what was there, and is gone */
	const struct binfmt_entry
		*stays; /* @n's: under our name, but another installer's; or NULL */
};

/*
 * Removes what emulator_install() made for @a, and nothing else: a handler of our name that none of
 * our files knows about only with @force.
 */
MUST_CHECK int emulator_remove(const struct node *n, const struct arch *a, bool force,
			       struct remove_result *ret, struct err *err);
