/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/node_containers.h"
#include "runtime/containerd/image_json.h"
#include "runtime/prepare/report.h"

/* The verdict on a container that containerd has, as Create would find it here and now. */
struct container_judge {
	const char *config_path, *prepare; /* as in struct dry_run */
	bool isolated;			   /* mounts are ours alone */
	const char *why_not;		   /* they are not */
};

struct container_verdict {
	char platform[PLATFORM_MAX]; /* that its image declares, "" when it cannot be told */
	struct report *report;	     /* owned; NULL: not judged */
	char why[400];		     /* not judged */
};

#define CLEANUP_CONTAINER_VERDICT CLEANUP(container_verdict_deinit)
void container_verdict_deinit(struct container_verdict *v);

/* Through its own snapshot, running or not; nothing is made in containerd for it. */
void container_judge(const struct container_judge *j, const struct node_container *c,
		     struct container_verdict *ret);
