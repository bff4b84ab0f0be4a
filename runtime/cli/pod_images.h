/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

/*
 * The images of the pods in a manifest: of containers, initContainers and ephemeralContainers below
 * a "spec", whatever kind of object that is in (Pod, Deployment, CronJob, a List), and image
 * volumes.
 */

/* What is to stand in the place of @image; it lives as long as the rewriting goes on. -1 ends it.
 */
typedef int pod_images_replace(void *ctx, const char *image, const char **ret, struct err *err);

/*
 * Appends to @out the manifest with its images replaced; every other byte is as in @text. *ret_n is
 * how many images there are. The error names the line; see yaml_scan.h.
 */
MUST_CHECK int pod_images_rewrite(const char *text, size_t n, pod_images_replace *replace,
				  void *ctx, struct buf *out, size_t *ret_n, struct err *err);
