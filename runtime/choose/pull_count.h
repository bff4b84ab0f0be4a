/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/containerd/image_pull.h"

/* Counts a pull of @image's chosen platform that was tried, for `crossarch metrics`
 * (runtime/base/outcomes.h). */
void pull_count(const struct image_found *image, bool pulled);
