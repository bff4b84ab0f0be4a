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

/* The x86-64 level that qemu offers at most. */
unsigned int load_emulated_level(const struct facts *f);

/* The x86-64 level of f->cpu_model, if that is less: 1 to 3. */
unsigned int load_model_level(const struct facts *f);
