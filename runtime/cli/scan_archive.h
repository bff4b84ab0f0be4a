/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/scan_images.h"

/*
 * Adds the images of an archive (OCI or docker's), or with @dir of an image layout in a directory,
 * without any containerd: each platform is unpacked by itself into a temporary directory and judged
 * as a container of it would be here. An image or a layer that is damaged is told in its place; an
 * error is one of the whole archive. Forks.
 */
MUST_CHECK int scan_archive(struct scan *s, const char *path, bool dir,
			    const struct scan_question *q, struct err *err);
