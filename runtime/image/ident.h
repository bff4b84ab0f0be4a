/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What an ELF file says about itself. Pure functions over bytes: nothing is read outside them,
 * whatever they hold, in either class and byte order. Sources: the ELF specification, and for what
 * makes an execve fail Linux's fs/binfmt_elf.c.
 */

enum ident_result {
	IDENT_NOT_ELF, /* no ELF magic */
	IDENT_CUT, /* ELF magic, but the header is incomplete or its class or order is no value */
	IDENT_ELF,
};

struct ident {
	uint8_t cls, order; /* ELFCLASS*, ELFDATA* */
	uint16_t type, machine;
	uint32_t flags;
	uint64_t entry, phoff;
	uint16_t phentsize, phnum;
};

/* Reads the header at the front of a file. @ret is filled only for IDENT_ELF. */
enum ident_result ident_read(const void *bytes, size_t n, struct ident *ret);

/* The most program headers the kernel loads, in bytes. */
#define SEGMENTS_MAX 65536

/* Size of the program header table, 0 when the kernel would not take it. */
size_t ident_table_size(const struct ident *id);

struct segments {
	uint64_t interp_at, interp_len;	    /* PT_INTERP's bytes; interp_len 0: none */
	uint64_t property_at, property_len; /* PT_GNU_PROPERTY's bytes */
	uint64_t largest_page; /* segments load with pages up to this; 0: with any size */
	bool loads;	       /* has a PT_LOAD */
	bool cut;	       /* a loaded segment ends beyond the file */
	bool dead;	       /* cut where the start of the program cannot do without */
};

/*
 * Walks the program headers in @bytes. @file_size is the size of the file; @page the node's page
 * size, which decides what part of a cut segment cannot be reached.
 */
void segments_read(const struct ident *id, const void *bytes, size_t n, uint64_t file_size,
		   uint64_t page, struct segments *ret);

/* The x86-64 level (2, 3, 4) that the note of PT_GNU_PROPERTY asks for, 0 when it names none. */
unsigned int property_x86_level(const struct ident *id, const void *bytes, size_t n);
