/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/containerd_config.h"
#include "runtime/cli/config_place.h"

/*
 * The runtime handler in containerd's configuration: the text that the installed containerd needs,
 * and writing it where it belongs on this node (config_place.h).
 */
struct handler_edit {
	/* what the caller wants */
	const struct arch *arch; /* the handler for this architecture, NULL: the one for all */
	const char *settings;	 /* with @arch: the file of settings for its shim */
	bool after_another;	 /* the text of another edit that is not written yet precedes it */
	bool no_backup;		 /* an edit just before has made one */

	const struct config_places *places;
	char name[HANDLER_NAME_MAX];
	char version[64]; /* of containerd */
	struct config_place place;
	struct buf file; /* what is at that place, empty without */
	struct buf dump; /* the effective configuration before */
	struct containerd_config file_config, config;
	char text[2048];  /* what to add; "" when everything is there */
	char old[2048];	  /* what an earlier --write put there and the text replaces; "" without */
	const char *lack; /* what the handler that is there cannot do, NULL without; static */
};

#define HANDLER_EDIT_INIT                                               \
	{                                                               \
		.file = BUF_INIT(1u << 20), .dump = BUF_INIT(1u << 20), \
	}
#define CLEANUP_HANDLER_EDIT CLEANUP(handler_edit_deinit)
void handler_edit_deinit(struct handler_edit *s);

/*
 * Reads and decides. ERR_PRECONDITION: something a person has to change first, and what (the CRI
 * plugin is disabled, or a handler of our name is something else). A handler that lacks something
 * on this containerd (handler_lacks()) is replaced if we wrote it; one that a person wrote stays,
 * and only @lack says so. @places has to stay.
 */
MUST_CHECK int handler_edit_plan(const struct config_places *places, struct handler_edit *ret,
				 struct err *err);

/*
 * Adds the text to the file, or puts it where the old one was. containerd itself is first given
 * what comes of it, and the file is only installed when that loads, has our handler and has lost
 * nothing; the old one is kept as @ret_backup ("" when there was none, or it is ours).
 */
MUST_CHECK int handler_edit_install(const struct handler_edit *s, char *ret_backup, size_t size,
				    struct err *err);

/*
 * Takes out of the file what handler_edit_install() added, and the entry for runc with it unless
 * that is needed by now; containerd has to load the result and lose nothing but our handler.
 * Backups that the file is equal to again are removed, and so is a file that only existed for us.
 * ERR_NOT_FOUND: the file does not have these lines.
 */
enum handler_removed { HANDLER_TAKEN_OUT, HANDLER_AS_BEFORE };
MUST_CHECK int handler_edit_remove(struct handler_edit *s, enum handler_removed *ret,
				   struct err *err);

/* --- shared by adding and removing ---------------------------------------------------------- */

/* Only reads: name, version, files and configurations. */
MUST_CHECK int handler_edit_read(const struct config_places *places, struct handler_edit *ret,
				 struct err *err);

/* The handler that @s is about, in @config, if it is one of ours; NULL without. */
const struct runtime_handler *handler_edited(const struct handler_edit *s,
					     const struct containerd_config *config);

/*
 * The same on this node; *@ret_waits: the distribution has yet to make its file from ours, which
 * has it.
 */
const struct runtime_handler *handler_present(const struct handler_edit *s, bool *ret_waits);

/*
 * Has containerd load what comes of the contents @text, and compares: ERR_PRECONDITION names what
 * would be lost.
 */
MUST_CHECK int handler_edit_try(const struct handler_edit *s, const char *text,
				struct containerd_config *ret, struct err *err);

/*
 * Puts @text where @p says, with the mode of what was there, @old, of which a copy is made if @keep
 * and there was any; its name is in @ret_backup, else "".
 */
MUST_CHECK int config_file_install(const struct config_place *p, const struct buf *old, bool keep,
				   const struct buf *text, char *ret_backup, size_t size,
				   struct err *err);
