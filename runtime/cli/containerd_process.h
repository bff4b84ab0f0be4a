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
#define CONTAINERD_SOCKET "/run/containerd/containerd.sock"
#define CONTAINERD_CONFIG "/etc/containerd/config.toml"
#define CONTAINERD_TYPE "io.containerd.crossarch.v2"
#define CONTAINERD_RUNC_TYPE "io.containerd.runc.v2"
#define CONTAINERD_SHIM "containerd-shim-crossarch-v2"

struct containerd {
	pid_t pid; /* 0: not running, only installed */
	char exe[PATH_MAX];
	char config[PATH_MAX]; /* its main configuration file, which may not exist */
	char *path;	       /* PATH as it sees it; owned */
};

#define CLEANUP_CONTAINERD CLEANUP(containerd_deinit)
void containerd_deinit(struct containerd *c);

/*
 * The process that listens on @socket; if nobody does, the containerd in our PATH. ERR_NOT_FOUND
 * when there is neither.
 */
MUST_CHECK int containerd_find(const char *socket, struct containerd *ret, struct err *err);

/* "containerd --version", its third word: "1.6.20~ds1". */
MUST_CHECK int containerd_program_version(const struct containerd *c, char *ret, size_t size,
					  struct err *err);

/* What containerd makes of the file @config, as TOML. ERR_PRECONDITION: it refuses it, and why. */
MUST_CHECK int containerd_dump_config(const struct containerd *c, const char *config,
				      struct buf *out, struct err *err);

/* The program @name in a PATH. */
bool path_search(const char *path, const char *name, char *ret, size_t size);
