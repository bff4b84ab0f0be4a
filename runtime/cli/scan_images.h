/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/arch/table.h"
#include "runtime/cli/scan.h"

/*
 * How to look; @judge is as for one image, but for the connection, the store and what comes of
 * them, which are those of each namespace. Nothing is unpacked.
 */
struct scan_question {
	struct image_judge judge;
	const struct arch *host; /* the node's own */
	scan_on_progress *on_progress;
};

/*
 * Adds the images of all namespaces of s->node, each target once with all its names. What is read
 * of containerd is listed where it can be, and one program in one root file system is judged once,
 * however many images have it. An error ends the scan; what was made in containerd may be left
 * then.
 */
MUST_CHECK int scan_images(struct scan *s, const struct scan_question *q, struct err *err);
