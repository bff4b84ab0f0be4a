/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/base/mem.h"
#include "runtime/binfmt/entry.h"

#define BINFMT_DIR "/proc/sys/fs/binfmt_misc"

/* More handlers than anybody registers. Those beyond are not read, and the list is then partial. */
#define BINFMT_ENTRIES_MAX 256

enum binfmt_state {
	BINFMT_UNKNOWN,	    /* the table could not be read: nothing is known */
	BINFMT_UNSUPPORTED, /* this kernel has no binfmt_misc */
	BINFMT_NOT_MOUNTED, /* not mounted, and the kernel's table is empty */
	BINFMT_OFF,	    /* mounted, and switched off as a whole */
	BINFMT_ON,
};

/* All handlers of one binfmt_misc instance. All-zero is empty and of unknown state. */
struct binfmt_registry {
	enum binfmt_state state;
	bool partial; /* an entry could not be understood: it may match anything */
	struct binfmt_entry *entries;
	size_t n, cap;
};

#define CLEANUP_REGISTRY CLEANUP(binfmt_registry_deinit)
void binfmt_registry_deinit(struct binfmt_registry *r);

/*
 * Opens the instance that counts for programs started from here: the mounted one or, where none is
 * mounted but it is certain which one counts, a detached mount of it. If there is none, *@ret_fd is
 * negative and *@ret_state says why (BINFMT_UNSUPPORTED, BINFMT_NOT_MOUNTED, BINFMT_UNKNOWN).
 */
MUST_CHECK int binfmt_open(int *ret_fd, bool *ret_mounted, enum binfmt_state *ret_state,
			   struct err *err);

/*
 * Reads the status and all entries below @dirfd, which stays the caller's. An entry that vanishes
 * meanwhile is passed over. ERR_IO when the directory cannot be read.
 */
MUST_CHECK int binfmt_registry_read(int dirfd, bool mounted, struct binfmt_registry *ret,
				    struct err *err);

/* Appends a copy of @e. */
MUST_CHECK int binfmt_registry_add(struct binfmt_registry *r, const struct binfmt_entry *e,
				   struct err *err);

/*
 * The entry the kernel will use for a program: of those that match, the one registered last.
 * Disabled entries count only with @disabled. @ret_others, if not NULL, is set to another entry
 * that matches as well and names another interpreter, or NULL.
 */
const struct binfmt_entry *binfmt_registry_match(const struct binfmt_registry *r,
						 const uint8_t *head, const char *path,
						 bool disabled,
						 const struct binfmt_entry **ret_other);

/* The enabled (or, with @disabled, any) entry made for architecture @a; NULL without. */
const struct binfmt_entry *binfmt_registry_for(const struct binfmt_registry *r,
					       const struct arch *a, bool disabled);
