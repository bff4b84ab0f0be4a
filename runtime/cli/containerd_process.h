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
	pid_t pid;	       /* 0: not running, only installed */
	char exe[PATH_MAX];    /* what to execute; of a running one by way of @exe_fd */
	int exe_fd;	       /* it goes on to be there when the process ends; owned, 0: none */
	char config[PATH_MAX]; /* its main configuration file, which may not exist */
	char *path;	       /* PATH as it sees it; owned */
};

#define CLEANUP_CONTAINERD CLEANUP(containerd_deinit)
void containerd_deinit(struct containerd *c);

/* The process that listens on @socket; 0 when nobody does or it is not one we can see. */
pid_t containerd_listener(const char *socket);

/*
 * The process that listens on @socket, false without one. Its @config is "" when it was not told
 * which file to read.
 */
bool containerd_running(const char *socket, struct containerd *ret);

/*
 * For when none runs: @program, if it is not NULL and there, else the containerd in our PATH, with
 * @config "". ERR_NOT_FOUND when there is neither; @socket is only named then.
 */
MUST_CHECK int containerd_installed(const char *socket, const char *program, struct containerd *ret,
				    struct err *err);

/* "containerd --version", its third word: "1.6.20~ds1". */
MUST_CHECK int containerd_program_version(const struct containerd *c, char *ret, size_t size,
					  struct err *err);

/* What containerd makes of the file @config, as TOML. ERR_PRECONDITION: it refuses it, and why. */
MUST_CHECK int containerd_dump_config(const struct containerd *c, const char *config,
				      struct buf *out, struct err *err);

/* The program @name in a PATH. */
bool path_search(const char *path, const char *name, char *ret, size_t size);
