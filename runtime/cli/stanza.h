/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/ctrd.h"
#include "runtime/cli/ctrd_config.h"

/*
 * The runtime handler in containerd's configuration: the text that the installed containerd needs,
 * and writing it. It always goes into the main file: an imported file replaces the whole CRI
 * plugin's table on 1.x, and on 2.x it must have the same version as the main file (containerd's
 * cmd/containerd/server/config/config.go, LoadConfig()).
 */
struct stanza {
	char version[64]; /* of containerd */
	struct buf main;  /* the main file as it is, empty without one */
	struct buf dump;  /* the effective configuration before */
	struct ctrd_config main_config, config;
	char text[2048];  /* what to add; "" when everything is there */
	char old[2048];	  /* what an earlier --write put there and the text replaces; "" without */
	const char *lack; /* what the handler that is there cannot do, NULL without; static */
};

#define STANZA_INIT                                                     \
	{                                                               \
		.main = BUF_INIT(1u << 20), .dump = BUF_INIT(1u << 20), \
	}
#define CLEANUP_STANZA CLEANUP(stanza_deinit)
void stanza_deinit(struct stanza *s);

/*
 * Reads and decides. ERR_PRECONDITION: something a person has to change first, and what (the CRI
 * plugin is disabled, or a handler of our name is something else). A handler that lacks something
 * on this containerd (ctrd_form.h) is replaced if we wrote it; one that a person wrote stays, and
 * only @lack says so.
 */
MUST_CHECK int stanza_make(const struct ctrd *c, struct stanza *ret, struct err *err);

/*
 * Adds the text to the main file, or puts it where the old one was. The new file is first given to
 * containerd itself, and only installed when it loads, has our handler and has lost nothing; the
 * old one is kept as @ret_backup ("" when there was none).
 */
MUST_CHECK int stanza_install(const struct ctrd *c, const struct stanza *s, char *ret_backup,
			      size_t size, struct err *err);

/*
 * Takes out of the main file what stanza_install() added, and the entry for runc with it unless
 * that is needed by now; containerd has to load the result and lose nothing but our handler.
 * Backups that the file is equal to again are removed, and so is a file that only existed for us.
 * ERR_NOT_FOUND: the file does not have these lines.
 */
enum stanza_removed { STANZA_TAKEN_OUT, STANZA_AS_BEFORE };
MUST_CHECK int stanza_remove(const struct ctrd *c, struct stanza *s, enum stanza_removed *ret,
			     struct err *err);

/* --- shared by adding and removing ---------------------------------------------------------- */

#define STANZA_HEAD "version = 2\n\n"
#define STANZA_BACKUP ".before-crossarch-"

/* Only reads: all members but the text. */
MUST_CHECK int stanza_read(const struct ctrd *c, struct stanza *ret, struct err *err);

MUST_CHECK int stanza_text_runc(const char *table, bool systemd_cgroup, struct buf *out,
				struct err *err);
MUST_CHECK int stanza_text_own(const char *table, const struct ctrd_runtime *r, struct buf *out,
			       struct err *err);

/*
 * Looks for what "--write" added to the text @file, whose contents are @config: where it begins,
 * and in @ret the text. NULL when it is not there, or not as we write it.
 */
const char *stanza_find(const char *file, const struct ctrd_config *config, struct buf *ret);

/* Has containerd load @path and compares: ERR_PRECONDITION names what would be lost. */
MUST_CHECK int stanza_try(const struct ctrd *c, const struct stanza *s, const char *path,
			  struct ctrd_config *ret, struct err *err);
