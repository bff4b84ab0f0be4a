/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/containerd_config.h"
#include "runtime/cli/distribution.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/findings.h"

/*
 * The examinations, in this order; the last one uses gRPC, after which nothing may fork. Without a
 * containerd @at has no distribution, and @err says why.
 */
void doctor_emulators(struct findings *f, struct node *n); /* reads it, and tries all it has */
void doctor_engines(struct findings *f, const struct installation *at); /* in its PATH */
void doctor_containerd(struct findings *f, const struct installation *at, const struct err *err);

/*
 * The handlers of ours that choose a platform: whether this node runs it, and what is wrong with
 * their settings. @examined is the one that was looked at otherwise, or NULL; @version is that of
 * containerd, "" when it is not known.
 */
void doctor_platforms(struct findings *f, const struct containerd_config *config,
		      const struct runtime_handler *examined, const char *version);
