/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/arch/table.h"
#include "runtime/containerd/image_members.h"

/*
 * Which platform of an image containerd's CRI uses on a node of architecture @host, whatever the
 * runtime class says: an index goes through the default matcher, a single manifest is taken as it
 * is (field.md fact 1, D6). An index into m->list, or -1 when a pull fails.
 */
int cri_choice(const struct image_members *m, const struct arch *host);
