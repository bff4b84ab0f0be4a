/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/config_place.h"
#include "runtime/cli/containerd_config.h"

/* Making our handler the one for pods that name none, where our other lines are. */
struct default_edit {
	const struct config_places *places;
	bool no_backup;		     /* an edit just before has made one */
	char name[HANDLER_NAME_MAX]; /* of the handler */
	char path[PATH_MAX];	     /* the file */
	char backup[PATH_MAX];	     /* of it; "" without */
	bool changed;
};

/*
 * It is made so, unless it is so already; containerd first loads what comes of it.
 * ERR_PRECONDITION: there is no handler of ours yet, or containerd does not take it.
 */
MUST_CHECK int default_edit_install(struct default_edit *e, struct err *err);

/* The lines that default_edit_install() would add to a file without any; none if it is so. */
MUST_CHECK int default_edit_text(const struct config_places *places, struct buf *ret,
				 struct err *err);

/* Takes back what default_edit_install() did, if it did; the line of before is there again. */
MUST_CHECK int default_edit_remove(struct default_edit *e, struct err *err);
