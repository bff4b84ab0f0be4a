/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "runtime/base/err.h"
#include "runtime/host/host.h"
#include "runtime/image/ident.h"
#include "runtime/image/script.h"
#include "runtime/image/sniff.h"

/* Longer loader names exist only in files made to be odd; their loader is not looked at. */
#define IMAGE_INTERP 256

/* Everything about one file that decides how the kernel will run it. */
struct image {
	enum image_kind kind;
	uint64_t size;
	size_t head_len;
	uint8_t head[PROGRAM_HEAD]; /* zero beyond head_len, as the kernel's buffer is */
	struct ident ident;	    /* IMAGE_ELF, IMAGE_OBJECT, IMAGE_CORE */
	struct segments segments;   /* IMAGE_ELF */
	char interp[IMAGE_INTERP];  /* IMAGE_ELF: the loader, "" without or when not readable */
	bool interp_bad;	    /* PT_INTERP is there, but the kernel would refuse it */
	unsigned int x86_level;	    /* IMAGE_ELF: 2, 3, 4 when the file asks for it */
	enum ident_system system;   /* IMAGE_ELF: whose program it is, by notes and loader */
	bool system_noted;	    /* by notes: then it is certain */
	struct script script;	    /* IMAGE_SCRIPT */
};

/*
 * Reads the regular file @fd (which stays the caller's, at any offset) of @size bytes, the way the
 * kernel of @host does. At most 64 KiB and a few hundred bytes are read. ERR_IO when reading fails.
 */
MUST_CHECK int image_read(int fd, uint64_t size, const struct host *host, struct image *ret,
			  struct err *err);
