/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Facts about architectures, one row each: every OCI platform that has Linux programs and every
 * target of qemu-user. Rows of one architecture that differ in ABI differ in e_flags; no ELF header
 * belongs to two rows. All storage is static.
 */
struct arch {
	const char *name;      /* OCI architecture, or qemu's name where OCI has none */
	const char *abi;       /* what sets the row apart from its sisters, "" for the usual one */
	const char *processor; /* what people call it: "S/390" */
	const char *aliases;   /* other names, space separated: uname's, Debian's, qemu's */
	const char *qemu;      /* target of qemu-user, NULL where it has none */
	const char *compat_of; /* 64-bit architecture whose kernels may run it, NULL without */
	const char *seccomp;   /* token of the OCI specification, NULL without */
	uint16_t machine;      /* e_machine */
	uint8_t cls, order;    /* ELFCLASS32/64, ELFDATA2LSB/MSB */
	uint32_t flags_mask, flags; /* the row holds when (e_flags & flags_mask) == flags */
	bool oci;		    /* `name` is an OCI architecture */
	bool any_class;		    /* its kernels look at e_machine only, and not at EI_CLASS */
	const char *loaders[3];	    /* glibc's and musl's loader, NULL-terminated */
};

/* All rows. */
const struct arch *arch_rows(size_t *ret_n);

/*
 * The row of an ELF header. Flags no row knows give the row of the same machine, class and order
 * without them. NULL for a machine the table does not have.
 */
const struct arch *arch_of_elf(uint16_t machine, uint8_t cls, uint8_t order, uint32_t flags);

/* The row called @name (@n bytes) in any of its spellings, the usual ABI first; NULL if none is. */
const struct arch *arch_by_name(const char *name, size_t n);

#define ARCH_HEADER 64

/* The first bytes of a typical executable of this row: what emulators are registered for. */
void arch_header(const struct arch *a, uint8_t ret[ARCH_HEADER]);
