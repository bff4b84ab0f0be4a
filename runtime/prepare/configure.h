/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/oci/settings.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/* Largest configuration file anybody may have. */
#define CONFIGURE_MAX (64u << 10)

/* Outcome of steps that may find the configuration itself at fault. */
enum configured { CONFIGURED, CONFIGURED_BAD, CONFIGURED_FAILED };

/*
 * Reads the node's file, the default one or the one the request names, into @text without looking
 * at what it says. CONFIGURED_BAD when a named one is missing, or when somebody else than root can
 * write it: it says what root runs.
 */
enum configured configure_file(const struct prepare_request *req, struct buf *text,
			       struct complaint *bad);

/*
 * What the settings come to: the node's file, as read into req->settings, then the options table,
 * then runc's own options, then the annotations of @spec (NULL: none). CONFIGURED_BAD fills @bad.
 */
enum configured configure(const struct prepare_request *req, const struct spec *spec,
			  struct settings *ret, struct complaint *bad);

/*
 * The cgroup of a container with this cgroupsPath, from the root of the hierarchies: the path
 * itself, or what systemd makes of slice:prefix:name. "" for a relative path; false when it cannot
 * be worked out.
 */
bool configure_cgroup(const char *path, char *ret, size_t size);

/* Copies what the shim acts on. */
void configure_decided(const struct settings *s, const struct spec *spec, struct decided *d);

/*
 * Finds the engine: a wanted name or path, or the first of runc and crun, in @path (PATH's value,
 * NULL for the standard directories). ERR_NOT_FOUND says what was looked for.
 *
 * A wanted one that is our shim, by whatever path, would start itself for ever: it is as if none
 * was wanted, and *@ret_was_shim is set. k3s writes the path of a shim that it finds into
 * BinaryName (k3s#9012).
 */
MUST_CHECK int configure_engine(const char *wanted, const char *path, char *ret, size_t size,
				bool *ret_was_shim, struct err *err);
