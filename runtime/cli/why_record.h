/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/container_judge.h"
#include "runtime/cli/node_containers.h"

/* All that can be found out about one container: how it is or ended, and what would come of it. */
enum why_state {
	WHY_NOT_RUNNING,
	WHY_CREATED,
	WHY_RUNNING,
	WHY_ENDED,
	WHY_NOT_TOLD, /* containerd does not say */
};

struct why_record {
	const struct node_container *c;
	size_t attempts; /* how many the kubelet made of it; this is the newest one */
	enum why_state state;
	int64_t when; /* the end, or else the making; seconds since 1970, 0: not known */
	int64_t exit_status;
	const char *reason, *message;	  /* the runtime's, by CRI; "" without, safe to print */
	char complaint[400];		  /* the line of its log that tells of it, "" without */
	struct container_verdict verdict; /* owned */
};

#define CLEANUP_WHY_RECORD CLEANUP(why_record_deinit)
void why_record_deinit(struct why_record *w);

/* Without the verdict: how it is. Texts live in @arena. */
void why_record_read(const struct node_container *c, struct arena *arena, struct why_record *ret);

/* Adds the verdict. */
void why_record_judge(const struct container_judge *j, struct why_record *w);

/* It ended with a failure, or has not come to run. */
bool why_record_failed(const struct why_record *w);

/* Something says that its end has to do with what we know of: words of the kernel, or our own. */
bool why_record_complains(const struct why_record *w);

/* That, or a verdict against it. */
bool why_record_is_ours(const struct why_record *w);
