/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/plan/facts.h"

/*
 * Gathers the facts about one program: finds it in the container's view, follows its interpreters
 * the way the kernel will, and looks at the loader and the emulator on the way.
 */

/* Interpreters of flag F, opened on the node beforehand: once confined, we could not open them. */
struct emulator_file {
	const struct binfmt_entry *entry;
	int fd; /* owned */
};

struct emulator_files {
	struct emulator_file *files;
	size_t n;
};

#define CLEANUP_EMULATORS CLEANUP(emulator_files_deinit)
void emulator_files_deinit(struct emulator_files *e);

/* Opens the interpreters of all enabled handlers with flag F; those that cannot be are left out. */
MUST_CHECK int emulator_files_open(const struct binfmt_registry *r, struct emulator_files *ret,
				   struct err *err);

struct inspect {
	struct rootfs_view *view;
	const struct spec_process *process;
	const struct emulator_files *emulators;
	/* Of a running container, whose mounts are not the view's: names volumes. NULL without. */
	const struct spec *spec;
	const char *levels;  /* the text of LEVELS_FILE; NULL: none */
	struct arena *arena; /* names in the facts live here */
};

/*
 * Fills chain, loader, handler and emulator of @f; host, binfmt and settings are set already.
 * ERR_IO when a file that is there cannot be read, ERR_NOMEM.
 */
MUST_CHECK int inspect_program(const struct inspect *in, struct facts *f, struct err *err);
