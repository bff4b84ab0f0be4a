/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/choose/chooser.h"
#include "runtime/containerd/image_members.h"
#include "runtime/oci/settings.h"
#include "runtime/plan/choice_line.h"

/* The wanted variant, to be brought to this node. */
struct pull_wait {
	struct chooser *chooser;
	const struct settings *settings;
	const struct image_member *wanted;
	const char *repository, *snapshotter;
	const char *handler;	    /* runtime handler of the pod, "" for the default one */
	struct choice_facts *facts; /* for the line of a refusal */
};

/* Whether the container's snapshotter has layers of this chain ID. */
MUST_CHECK int pull_is_unpacked(const struct pull_wait *w, const char *chain, bool *ret,
				struct err *err);

/*
 * Pulls it, or waits for another process of this node that does, and that at most as long as the
 * chooser may; then the shim is told, and the pull goes on. *ret_here: it is here and unpacked.
 * Otherwise chooser->report refuses.
 */
MUST_CHECK int pull_wait(struct pull_wait *w, bool *ret_here, struct err *err);
