/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What we need to know of a containerd configuration. Reads TOML by lines, which is enough for what
 * "containerd config dump" prints and for finding the tables of a file people write; values are
 * looked at only where they fit on one line.
 */
#define CTRD_RUNTIMES 64

struct ctrd_runtime {
	char name[64], type[128];
	char annotations[512]; /* pod_annotations as written */
	char config_path[256]; /* ConfigPath of its options: our node configuration */
	bool systemd_cgroup;
};

struct ctrd_config {
	unsigned int version; /* 1 when the file does not say */
	bool cri_disabled;
	bool has_imports;
	char default_runtime[64];
	struct ctrd_runtime runtimes[CTRD_RUNTIMES];
	size_t n;
};

void ctrd_config_read(const char *text, struct ctrd_config *ret);

const struct ctrd_runtime *ctrd_runtime_named(const struct ctrd_config *c, const char *name);

/* The first handler of our runtime type; NULL without. */
const struct ctrd_runtime *ctrd_runtime_ours(const struct ctrd_config *c);

/* True when pods may set io.crossarch.* annotations for it. */
bool ctrd_passes_annotations(const struct ctrd_runtime *r);

/* The table that holds the runtimes, in the notation of a file of @version. Static storage. */
const char *ctrd_runtimes_table(unsigned int version);
