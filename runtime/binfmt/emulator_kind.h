/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/arch/table.h"
#include "runtime/binfmt/entry.h"

/*
 * The programs that run foreign programs, a row each: how they are recognised among the handlers of
 * a node, and what is known of them beforehand. All storage is static. The last row is for those
 * that nobody here knows; it has no files.
 */
struct emulator_kind {
	const char *name;     /* what is typed and printed: "box64" */
	const char *label;    /* what people call it: "qemu-user" */
	const char *files;    /* names of its program, separated by spaces; those of qemu have the
			       * target's name in them, and locate.h knows them */
	const char *handlers; /* names that its registrations usually have, separated by spaces */
	const char *guests; /* names of the architectures it runs, separated by spaces; NULL: those
			     * that have a target of qemu */
	const char *flags;  /* letters to register it with beside F, tried first; NULL: never
			     * registered by us */
	const char *limits; /* what it cannot do, as far as it concerns containers; "" */
	const char *remedy; /* how to get one that works in containers: a clause */

	/* How it is asked for its version: by what is beside it (NULL: itself), with what. */
	const char *version_program;
	const char *version_option;		     /* NULL: it does not tell */
	const char *version_starts, *version_before; /* what it prints in front of the number */
};

/* The names of handlers that "crossarch emulators install" makes: this and the architecture. */
#define EMULATOR_PREFIX "crossarch-"

/*
 * Of a kind of its own and registered by somebody else, who has chosen it: not ours to replace
 * unless a person says so.
 */
bool emulator_kind_is_foreign(const struct binfmt_entry *e);

const struct emulator_kind *emulator_kinds(size_t *ret_n);

/* By the file name of its interpreter, else by its own name; never NULL. */
const struct emulator_kind *emulator_kind_of(const struct binfmt_entry *e);

/* The same of an interpreter alone. */
const struct emulator_kind *emulator_kind_of_file(const char *path);

/* By the name that is typed; NULL without, and for the row of the unknown. */
const struct emulator_kind *emulator_kind_named(const char *name);

bool emulator_kind_is_qemu(const struct emulator_kind *k);

/* True for a kind of its own: neither qemu nor unknown, so that what is known of qemu does not
 * hold. */
bool emulator_kind_is_other(const struct emulator_kind *k);

/* Whether it has anything to run programs of @a with. */
bool emulator_kind_runs(const struct emulator_kind *k, const struct arch *a);

/* The version in what it printed when asked for it, e.g. "7.2.22"; false without one. */
bool emulator_kind_version(const struct emulator_kind *k, const char *text, char *ret, size_t size);
