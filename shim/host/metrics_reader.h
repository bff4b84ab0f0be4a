/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/cgroup.h"
#include "shim/host/metrics_text.h"

/*
 * What the two messages are made with: the directory being read, the text of one file at a time,
 * and the message being written. What fails is kept here.
 */
struct reader {
	const struct cgroup *cg;
	struct protobuf_writer w;
	struct buf text;
	int dir;    /* of the part entered last; -1 when there is none */
	bool found; /* some directory was there */
};

/* Goes to the directory of @part; false when the container is in no such hierarchy. */
bool reader_enter(struct reader *r, enum cgroup_part part);

/* The text of a file, good until the next call; NULL when there is none. */
char *reader_file(struct reader *r, const char *name);

/* A file that holds one number or "max", as a field. False when there is none. */
bool reader_number(struct reader *r, unsigned int field, const char *name);

/*
 * Calls @each with every page size ("2MB") for which the directory has a file
 * hugetlb.SIZE.@suffix.
 */
void reader_huge_pages(struct reader *r, const char *suffix,
		       void (*each)(struct reader *r, const char *size));
