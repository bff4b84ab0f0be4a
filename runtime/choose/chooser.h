/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/rpc.h"
#include "runtime/plan/choice_line.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/*
 * Choosing the platform of a container that is about to be created: containerd's CRI made it of the
 * node's own variant of a multi-platform image, and the pod, or its runtime handler, wants another
 * one. Nothing of the container exists yet but containerd's record and snapshot, and the bundle.
 */
struct chooser {
	struct rpc *rpc;
	const char *id;	     /* of the container */
	int bundle;	     /* its directory */
	uint64_t until_ns;   /* CLOCK_MONOTONIC: so long a pull may take before it is answered */
	struct arena *arena; /* what the request points at */
	struct prepare_request *request; /* what prepare is asked; changed by what is chosen */
	struct report *report;		 /* what the shim is told */
	/* Called at most once, when the answer is REPORT_PULLING: tells the shim. */
	int (*tell)(struct chooser *c, struct err *err);
	bool told;
};

/* The answer is a refusal, with the line for @cause (choice_line.h). */
void chooser_refuse(struct chooser *c, enum cause cause, const struct choice_facts *facts);
