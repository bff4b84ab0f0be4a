/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/scan.h"

/* How many of what, by platform. */
#define SCAN_PLATFORMS_MAX 64

struct scan_count {
	char platform[PLATFORM_MAX]; /* as declared */
	size_t images, containers;   /* of images those that are here */
	size_t native, emulated, refused, not_judged, mislabelled; /* of both together */
};

struct scan_summary {
	struct scan_count platforms[SCAN_PLATFORMS_MAX]; /* those beyond are in the last one */
	size_t n;
	size_t refused, mislabelled, unread; /* in all; images that could not be read */
};

void scan_summary_make(const struct scan *s, struct scan_summary *ret);
