/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/plan/facts.h"

/*
 * Whether the last link of the chain, an ELF program, can be loaded by what will load it: the
 * headers, the dynamic loader it names, the processor. CAUSE_NONE when nothing proves otherwise.
 */

/* By Linux itself (fs/binfmt_elf.c, load_elf_binary). */
enum cause load_native(const struct facts *f);

/*
 * By qemu-user (linux-user/elfload.c), when f->emulator_is_qemu: it reads files without regard to
 * their x bits and mounts, and looks for the loader below its prefixes first.
 */
enum cause load_emulated(const struct facts *f);

/* The x86-64 level that the emulator offers at most: what it said, or what its version is known
 * for. */
unsigned int load_emulated_level(const struct facts *f);

/* The x86-64 level of f->cpu_model, or of the model that it takes without one, if that is less. */
unsigned int load_model_level(const struct facts *f);

/*
 * The x86-64 levels that the program's notes ask for (where a loader of glibc's looks at them) and
 * that its image declares: 2 to 4, or 0.
 */
void load_levels_wanted(const struct facts *f, unsigned int *ret_program, unsigned int *ret_image);

/* The part of load_emulated() that is about these levels. */
enum cause load_emulated_cpu(const struct facts *f);
