/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/err.h"
#include "runtime/image/script.h"

/* Source for format and matching: Linux's Documentation/admin-guide/binfmt-misc.rst and its code.
 */

enum binfmt_flag {
	BINFMT_P = 1u << 0, /* the interpreter also gets the program's own argv[0] */
	BINFMT_O = 1u << 1, /* the program is passed as a descriptor */
	BINFMT_C = 1u << 2, /* credentials are computed from the program */
	BINFMT_F = 1u << 3, /* the interpreter was opened at registration */
};

enum binfmt_kind {
	BINFMT_MAGIC,
	BINFMT_EXTENSION,
	BINFMT_OPAQUE, /* a kind this code does not know: may match anything */
};

struct binfmt_entry {
	char name[128];
	char interpreter[512];
	enum binfmt_kind kind;
	bool enabled;
	bool pending;		  /* not registered yet: one that a pod will get for itself */
	uint32_t flags;		  /* enum binfmt_flag; letters nobody knows are left out */
	char extension[32];	  /* without the dot */
	unsigned int offset, len; /* of the magic */
	uint8_t magic[PROGRAM_HEAD], mask[PROGRAM_HEAD]; /* no mask is a mask of ones */
	uint64_t registered_ns; /* when it was registered, 0 when unknown */
	uint64_t serial;	/* breaks ties of the time: larger is later */
};

/*
 * Reads what the kernel prints for the entry @name. Lines and flags that are not known are passed
 * over; ERR_INVALID when the text has no state or no interpreter.
 */
MUST_CHECK int binfmt_entry_parse(const char *name, const char *text, struct binfmt_entry *ret,
				  struct err *err);

/*
 * The kernel's own match: @head holds PROGRAM_HEAD bytes, zero beyond the file's end; @path is the
 * name the program is started by. Whether the entry is enabled is not considered.
 */
bool binfmt_entry_matches(const struct binfmt_entry *e, const uint8_t *head, const char *path);

/* The first byte of @head that the entry's magic rejects; false when it matches or has no magic. */
bool binfmt_entry_rejects(const struct binfmt_entry *e, const uint8_t *head, size_t *ret_at);
