/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* Files as they were before a command began to change them, so that all of it can be taken back. */
#define CONFIG_JOURNAL_MAX 80

struct config_was {
	char path[PATH_MAX];
	bool there;
	mode_t mode;
	struct buf text;
};

struct config_journal {
	struct config_was *list[CONFIG_JOURNAL_MAX];
	size_t n;
};

/* Remembers the file @path and its backups as they are now; only the first time counts. */
MUST_CHECK int config_journal_add(struct config_journal *j, const char *path, struct err *err);

/* Puts back every file, and removes those that were not there, backups among them. */
MUST_CHECK int config_journal_undo(const struct config_journal *j, struct err *err);

void config_journal_deinit(struct config_journal *j);
