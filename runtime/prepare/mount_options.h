/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/* Option words sorted by what they are for. */
struct mount_options {
	unsigned long flags;	     /* MS_* for mount(2), with MS_BIND and MS_REC */
	unsigned long propagation;   /* MS_PRIVATE and the like, with MS_REC; 0 for none */
	bool loop;		     /* attach a loop device to the source first */
	bool direct_io;		     /* that one reads and writes past the page cache */
	const char *uidmap, *gidmap; /* NULL, or idmap.h's lists; they live in the words */
	struct buf data;	     /* what the file system gets, joined by commas */
};

#define CLEANUP_MOUNT_OPTIONS CLEANUP(mount_options_deinit)
void mount_options_deinit(struct mount_options *o);

/*
 * @words is NULL-terminated and outlives @ret. ERR_INVALID for an X-containerd.* option: what such
 * a one asks for is containerd's to do before it asks for the mount.
 */
MUST_CHECK int mount_options_parse(const char *const *words, struct mount_options *ret,
				   struct err *err);
