/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/choose/chooser.h"

/*
 * Chooses, and leaves what came of it in c->report:
 * - VERDICT_NATIVE: go on with c->request. Where nothing is wanted, or can be chosen, it is as it
 *   was, but for the platform that the image declares, if that is known (REPORT_DECLARED). What
 *   is wrong with settings or annotations, and that a single-platform image is of another platform,
 *   is for prepare to say.
 * - VERDICT_REFUSE with its line.
 * An error is one that is nobody's fault but containerd's or the node's. If c->told, nobody waits
 * for any of this any more: the image was pulled, or could not be.
 */
MUST_CHECK int choose_platform(struct chooser *c, struct err *err);
