/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/containerd_config.h"
#include "runtime/cli/containerd_process.h"

/*
 * The runtime handler in containerd's configuration: the text that the installed containerd needs,
 * and writing it. It always goes into the main file: an imported file replaces the whole CRI
 * plugin's table on 1.x, and on 2.x it must have the same version as the main file (containerd's
 * cmd/containerd/server/config/config.go, LoadConfig()).
 */
struct handler_edit {
	/* what the caller wants */
	const struct arch *arch; /* the handler for this architecture, NULL: the one for all */
	const char *settings;	 /* with @arch: the file of settings for its shim */
	bool after_another;	 /* the text of another edit that is not written yet precedes it */
	bool no_backup;		 /* an edit just before has made one */

	char name[HANDLER_NAME_MAX];
	char version[64]; /* of containerd */
	struct buf main;  /* the main file as it is, empty without one */
	struct buf dump;  /* the effective configuration before */
	struct containerd_config main_config, config;
	char text[2048];  /* what to add; "" when everything is there */
	char old[2048];	  /* what an earlier --write put there and the text replaces; "" without */
	const char *lack; /* what the handler that is there cannot do, NULL without; static */
};

#define HANDLER_EDIT_INIT                                               \
	{                                                               \
		.main = BUF_INIT(1u << 20), .dump = BUF_INIT(1u << 20), \
	}
#define CLEANUP_HANDLER_EDIT CLEANUP(handler_edit_deinit)
void handler_edit_deinit(struct handler_edit *s);

/*
 * Reads and decides. ERR_PRECONDITION: something a person has to change first, and what (the CRI
 * plugin is disabled, or a handler of our name is something else). A handler that lacks something
 * on this containerd (handler_form.h) is replaced if we wrote it; one that a person wrote stays,
 * and only @lack says so.
 */
MUST_CHECK int handler_edit_plan(const struct containerd *c, struct handler_edit *ret,
				 struct err *err);

/*
 * Adds the text to the main file, or puts it where the old one was. The new file is first given to
 * containerd itself, and only installed when it loads, has our handler and has lost nothing; the
 * old one is kept as @ret_backup ("" when there was none).
 */
MUST_CHECK int handler_edit_install(const struct containerd *c, const struct handler_edit *s,
				    char *ret_backup, size_t size, struct err *err);

/*
 * Takes out of the main file what handler_edit_install() added, and the entry for runc with it
 * unless that is needed by now; containerd has to load the result and lose nothing but our handler.
 * Backups that the file is equal to again are removed, and so is a file that only existed for us.
 * ERR_NOT_FOUND: the file does not have these lines.
 */
enum handler_removed { HANDLER_TAKEN_OUT, HANDLER_AS_BEFORE };
MUST_CHECK int handler_edit_remove(const struct containerd *c, struct handler_edit *s,
				   enum handler_removed *ret, struct err *err);

/* --- shared by adding and removing ---------------------------------------------------------- */

#define HANDLER_HEAD "version = 2\n\n"
#define HANDLER_BACKUP ".before-crossarch-"

/* Only reads: name, version, files and configurations. */
MUST_CHECK int handler_edit_read(const struct containerd *c, struct handler_edit *ret,
				 struct err *err);

MUST_CHECK int handler_text_runc(const char *table, bool systemd_cgroup, struct buf *out,
				 struct err *err);
MUST_CHECK int handler_text_own(const char *table, const struct runtime_handler *r, struct buf *out,
				struct err *err);

/*
 * Looks for what "--write" added for the handler @name to the text @file, whose contents are
 * @config: where it begins, and in @ret the text. NULL when it is not there, or not as we write it.
 */
const char *handler_edit_find(const char *file, const struct containerd_config *config,
			      const char *name, struct buf *ret);

/* The handler that @s is about, in @config, if it is one of ours; NULL without. */
const struct runtime_handler *handler_edited(const struct handler_edit *s,
					     const struct containerd_config *config);

/* Has containerd load @path and compares: ERR_PRECONDITION names what would be lost. */
MUST_CHECK int handler_edit_try(const struct containerd *c, const struct handler_edit *s,
				const char *path, struct containerd_config *ret, struct err *err);
