/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/image_check.h"

/*
 * What "why" says of an image: all its platforms, and of an index that a pull would find nothing in
 * the ways out. The words of the failed pull are containerd's.
 */
void why_image_print(const struct image_answer *a);

/* As image_answer_json(), with "code" and "remedies"; the caller's. */
json *why_image_json(const struct image_answer *a);
