/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "runtime/arch/platform.h"
#include "runtime/oci/json.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/*
 * Asking for the verdict on a bundle without changing it. crossarch-prepare answers, the program
 * that the shim asks at every Create, so that both say the same. It gets a temporary bundle in
 * which everything but config.json is a link to the real one.
 */
struct dry_run {
	const char *config;	      /* text of config.json */
	const char *bundle;	      /* the real one, for relative paths; NULL without */
	const char *config_path;      /* the node's configuration file, NULL for the default */
	const char *prepare;	      /* that program, NULL: where prepare_find() has it */
	const char *platform;	      /* what the image declares, NULL when unknown */
	struct prepare_mount *mounts; /* of the root file system; done in our mount namespace */
	size_t n_mounts;
};

/* ERR_NOT_FOUND when crossarch-prepare is not installed. A failure of prepare is in ret->err. */
MUST_CHECK int dry_run(const struct dry_run *c, struct report *ret, struct err *err);

/* Removes the temporary bundle of the process @pid, which is gone; its mounts went with it. */
void dry_run_sweep(pid_t pid);

/*
 * A mount namespace of our own, so that what is mounted for a check is gone with this process
 * whatever happens. Fails without privilege; then nothing can be mounted.
 */
MUST_CHECK int dry_run_isolate(struct err *err);

/* config.json for the root file system @root (absolute) and @args, NULL-terminated; the caller's.
 */
json *spec_of_rootfs(const char *root, const char *const *args, const char *const *env,
		     const char *cwd);

/*
 * The same from an image's configuration. @args, if there are any, replace its own command.
 * ERR_INVALID when the configuration is none.
 */
MUST_CHECK int spec_of_image(const void *bytes, size_t n, const char *const *args, json **ret,
			     struct err *err);

/* Adds the annotation of a pod that asks for @wanted. */
void spec_ask_for(json *spec, const struct platform *wanted);
