/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/image_check.h"
#include "runtime/oci/json.h"

/* What "check" and "why" print of an image with all its platforms. */

void image_answer_print(const struct image_answer *a);

/* Only the platforms, without what comes of the whole. */
void image_answer_print_platforms(const struct image_answer *a);

/* The caller's. */
json *image_answer_json(const struct image_answer *a);

/* CLI_DONE where what CRI takes would run. */
int image_answer_status(const struct image_answer *a);

/* What to add to an error of image_check(). */
const char *image_answer_advice(const struct image_answer *a, const struct err *err);
