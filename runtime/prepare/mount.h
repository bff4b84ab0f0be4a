/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/prepare/request.h"

/* The mounts of a Create request, as containerd mounts them itself (core/mount/mount_linux.go). */

/* Option words sorted by what they are for. */
struct mount_options {
	unsigned long flags;	     /* MS_* for mount(2), with MS_BIND and MS_REC */
	unsigned long propagation;   /* MS_PRIVATE and the like, with MS_REC; 0 for none */
	bool loop;		     /* attach a loop device to the source first */
	const char *uidmap, *gidmap; /* NULL, or idmap.h's lists; they live in the words */
	struct buf data;	     /* what the file system gets, joined by commas */
};

#define CLEANUP_MOUNT_OPTIONS CLEANUP(mount_options_deinit)
void mount_options_deinit(struct mount_options *o);

/* @words is NULL-terminated and outlives @ret. */
MUST_CHECK int mount_options_parse(const char *const *words, struct mount_options *ret,
				   struct err *err);

/*
 * Mounts all of @mounts in order on directory @name (made if missing) below @dirfd, or on paths
 * below that. All or nothing: what was mounted before a failure is unmounted again.
 */
MUST_CHECK int mount_all(int dirfd, const char *name, const struct prepare_mount *mounts, size_t n,
			 struct err *err);

/* Mounts an overlay whose options may exceed the page mount(2) passes, on the path @target. */
MUST_CHECK int mount_overlay(const char *target, const struct mount_options *o, struct err *err);

/*
 * The same with the ids of its lower directories mapped. They are mounted below a directory of its
 * own in @dirfd for as long as this takes.
 */
MUST_CHECK int mount_overlay_mapped(int dirfd, const char *target, const struct mount_options *o,
				    int namespace, struct err *err);

/*
 * Attaches a free loop device to the file @source; its path goes into @ret_path (at least 32
 * bytes). The device detaches itself once it is unmounted and @ret_fd, the caller's, is closed.
 */
MUST_CHECK int loop_attach(const char *source, bool read_only, char *ret_path, size_t size,
			   int *ret_fd, struct err *err);
