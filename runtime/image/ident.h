/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/host/host.h"

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
	uint16_t ehsize, phentsize, phnum;
};

/* Reads the header at the front of a file. @ret is filled only for IDENT_ELF. */
enum ident_result ident_read(const void *bytes, size_t n, struct ident *ret);

/*
 * The same for a file's first 256 bytes, zero beyond its end, the way the kernel of @host reads
 * them. It recognises its own programs by e_machine in its own byte order; it then looks neither at
 * EI_CLASS (on most architectures) nor at EI_DATA, nor checks that the header is complete. @ret
 * holds the class and order that count. Programs of other machines are read as they say.
 */
enum ident_result ident_read_by(const struct host *host, const uint8_t head[256], size_t n,
				struct ident *ret);

/* Bytes of a whole header of this class. */
size_t ident_header_size(const struct ident *id);

/* The most program headers the kernel loads, in bytes. */
#define SEGMENTS_MAX 65536

/* Size of the program header table, 0 when the kernel would not take it. */
size_t ident_table_size(const struct ident *id);

struct segments {
	bool interp;			    /* has a PT_INTERP */
	uint64_t interp_at, interp_len;	    /* its bytes */
	uint64_t property_at, property_len; /* PT_GNU_PROPERTY's bytes */
	uint64_t data_at, data_len;	    /* the first writable PT_LOAD's */
	uint64_t note_at, note_len;	    /* the first PT_NOTE's */
	uint64_t largest_page; /* by p_vaddr and p_offset, all that Linux goes by, segments load
				* with pages up to this; 0: with any size */
	bool misplaced;	 /* by p_align made for the node's pages, by p_vaddr and p_offset not */
	bool empty;	 /* has no PT_LOAD with memory */
	bool cut;	 /* a loaded segment ends beyond the file */
	bool dead;	 /* cut so that the program cannot even start */
	bool impossible; /* addresses or offsets that nothing can map */
	bool overfull;	 /* more bytes in the file than in memory, which Linux refuses */
};

/*
 * Walks the program headers in @bytes. @file_size is the size of the file; @page the node's page
 * size, which decides what part of a cut segment cannot be reached.
 */
void segments_read(const struct ident *id, const void *bytes, size_t n, uint64_t file_size,
		   uint64_t page, struct segments *ret);

/* Systems whose programs are ELF files as well. */
enum ident_system {
	SYSTEM_LINUX, /* or not known */
	SYSTEM_FREEBSD,
	SYSTEM_NETBSD,
	SYSTEM_OPENBSD,
	SYSTEM_DRAGONFLY,
	SYSTEM_SOLARIS, /* illumos too */
	SYSTEM_ANDROID,
	SYSTEM_N,
};

/* The system that notes name: every one of these has its linkers write one. */
enum ident_system notes_system(const struct ident *id, const void *bytes, size_t n);

/* The system whose dynamic loader has the name @interp on machines like @id's. */
enum ident_system loader_system(const struct ident *id, const char *interp);

/* The x86-64 level (2, 3, 4) that the note of PT_GNU_PROPERTY asks for, 0 when it names none. */
unsigned int property_x86_level(const struct ident *id, const void *bytes, size_t n);
