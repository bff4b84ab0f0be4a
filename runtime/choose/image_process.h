/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/arena.h"
#include "runtime/oci/json.h"

/*
 * What an image says of the process to run: "config" of the image configuration (OCI image
 * specification, config.md). Whoever built the image wrote it.
 */
struct image_process {
	json *document; /* owned; the strings live in it */
	const char *const *entrypoint, *const *cmd, *const *env;
	const char *cwd, *user, *stop_signal; /* "" where nothing is said */
	json *volumes;			      /* an object whose keys are paths, NULL without */
};

#define CLEANUP_IMAGE_PROCESS CLEANUP(image_process_deinit)
void image_process_deinit(struct image_process *p);

/* Arrays live in @arena. ERR_INVALID for a member of another type than it has to have. */
MUST_CHECK int image_process_parse(const void *bytes, size_t n, struct arena *arena,
				   struct image_process *ret, struct err *err);
