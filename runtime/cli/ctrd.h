/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * The containerd of this node: the process behind a socket, the configuration it was started with,
 * and what that says about runtime handlers. Versions merge imported files differently, so we ask
 * containerd itself for its effective configuration.
 */
#define CTRD_SOCKET "/run/containerd/containerd.sock"
#define CTRD_CONFIG "/etc/containerd/config.toml"
#define CTRD_TYPE "io.containerd.crossarch.v2"
#define CTRD_RUNC_TYPE "io.containerd.runc.v2"
#define CTRD_SHIM "containerd-shim-crossarch-v2"

struct ctrd {
	pid_t pid; /* 0: not running, only installed */
	char exe[PATH_MAX];
	char config[PATH_MAX]; /* its main configuration file, which may not exist */
	char *path;	       /* PATH as it sees it; owned */
};

#define CLEANUP_CTRD CLEANUP(ctrd_deinit)
void ctrd_deinit(struct ctrd *c);

/*
 * The process that listens on @socket; if nobody does, the containerd in our PATH. ERR_NOT_FOUND
 * when there is neither.
 */
MUST_CHECK int ctrd_find(const char *socket, struct ctrd *ret, struct err *err);

/* "containerd --version", its third word: "1.6.20~ds1". */
MUST_CHECK int ctrd_program_version(const struct ctrd *c, char *ret, size_t size, struct err *err);

/* What containerd makes of the file @config, as TOML. ERR_PRECONDITION: it refuses it, and why. */
MUST_CHECK int ctrd_dump(const struct ctrd *c, const char *config, struct buf *out,
			 struct err *err);

/* The program @name in a PATH. */
bool path_search(const char *path, const char *name, char *ret, size_t size);
