/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* What is in a tar archive, by name, as the confined process that read it says. */
struct archive_member {
	const char *name;
	int64_t at, size; /* of its header, and of its data */
	const char *link; /* NULL, or the name of the member that it stands for */
};

struct archive_list {
	struct archive_member *members; /* sorted by name; owned */
	size_t n;
	struct buf names;   /* the list as it was said: names live there */
	struct arena arena; /* targets of links */
};

#define ARCHIVE_LIST_INIT                                                  \
	{                                                                  \
		.names = BUF_INIT(64u << 20), .arena = {.max = 64u << 20 } \
	}
void archive_list_deinit(struct archive_list *l);

/*
 * Reads l->names: two strings for each member, "AT SIZE KIND" with the name behind it, and the
 * target of a link or nothing. KIND is f, h (hard link) or s (symbolic link). ERR_INVALID also when
 * a file ends after the end of the archive, which has @archive_size bytes.
 */
MUST_CHECK int archive_list_parse(struct archive_list *l, int64_t archive_size, struct err *err);

/*
 * The member that has the data of @name, through links as "docker save" makes them; NULL when there
 * is none. Of several with the same name it is the last one, as for whoever unpacks the archive.
 */
const struct archive_member *archive_list_find(const struct archive_list *l, const char *name);
