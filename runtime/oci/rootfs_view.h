/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/base/err.h"
#include "runtime/base/mem.h"
#include "runtime/oci/spec.h"

/*
 * The file tree as the container will see it, before it exists: the root file system plus the bind
 * mounts of its specification. Paths are walked one component at a time, so that a symbolic link
 * that leads into a mount is followed there; nothing ever resolves outside the container. What only
 * exists after the start (a tmpfs, proc) is opaque.
 */
#define ROOTFS_VIEW_MOUNTS_MAX 512

/*
 * The most path components that all look-ups in one view together may walk through; long paths
 * count more. An image's PATH and links can ask for millions; beyond this every answer is
 * FOUND_UNKNOWN.
 */
#define ROOTFS_VIEW_EFFORT_MAX 16384

struct rootfs_view_mount {
	const char *destination; /* as the specification writes it */
	char *path;		 /* where that is in the container: absolute, without links */
	int fd;			 /* directory (O_PATH) or file, -1: opaque */
	bool file, noexec;
	bool recursive; /* mounts below the source come along */
	bool fresh;	/* opaque, and empty when it is mounted: no links to follow */
};

struct rootfs_view {
	int root; /* owned; -1 when empty */
	struct rootfs_view_mount *mounts;
	size_t n;
	unsigned int effort; /* so far, up to ROOTFS_VIEW_EFFORT_MAX */
};

#define VIEW_INIT           \
	{                   \
		.root = -1, \
	}
#define CLEANUP_VIEW CLEANUP(view_deinit)
void view_deinit(struct rootfs_view *v);

/* Takes @root_take, a directory descriptor; the view has no mounts yet. */
void view_init(struct rootfs_view *v, int root_take);

/*
 * Opens the sources of the specification's mounts (relative ones below @bundle) and places them.
 * A source that cannot be opened makes its mount opaque. ERR_LIMIT beyond ROOTFS_VIEW_MOUNTS_MAX.
 */
MUST_CHECK int view_add_mounts(struct rootfs_view *v, int bundle, const struct spec *s,
			       struct err *err);

enum found_kind {
	FOUND_UNKNOWN, /* cannot be known before the container runs */
	FOUND_MISSING, /* no such file */
	FOUND_LOOP,    /* more symbolic links than the kernel follows */
	FOUND_DIRECTORY,
	FOUND_SPECIAL, /* FIFO, socket, device */
	FOUND_FILE,
};

struct found {
	enum found_kind kind;
	int fd; /* FOUND_FILE: open for reading, owned; otherwise -1 */
	mode_t mode;
	uint64_t size;
	bool noexec; /* on a mount that forbids execution */
	const struct rootfs_view_mount
		*mount;	     /* the mount it is on, NULL for the root file system */
	char path[PATH_MAX]; /* in the container, without links */
};

#define FOUND_INIT        \
	{                 \
		.fd = -1, \
	}
#define CLEANUP_FOUND CLEANUP(found_deinit)
void found_deinit(struct found *f);

/* Looks @path up, relative ones from @cwd. Never waits, whatever kind of file is there. */
void view_find(struct rootfs_view *v, const char *cwd, const char *path, struct found *ret);
