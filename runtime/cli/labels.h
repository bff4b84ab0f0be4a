/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "runtime/cli/emulators.h"

/*
 * Node labels by way of node-feature-discovery's local source: a file of "name=value" lines in
 * LABEL_DIR, to which it adds LABEL_PREFIX.
 */
#define LABEL_DIR "/etc/kubernetes/node-feature-discovery/features.d"
#define LABEL_PREFIX "feature.node.kubernetes.io/"
#define LABEL_READY "crossarch.ready"
#define LABEL_EMULATOR "crossarch.emulator-"
#define LABEL_LEVEL "crossarch.x86-64-v"

/*
 * Appends the lines for @n, whose emulators were tried: that crossarch is here, each architecture
 * that runs under an emulator (usable in a container: with flag F), and each x86-64 level.
 */
MUST_CHECK int labels_write(const struct node *n, struct buf *out, struct err *err);
