/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/image_check.h"

/* What "check" prints of images. */

/* One platform of an image. */
void image_verdict_print(const struct image_verdict *v);
json *image_verdict_json(const struct image_verdict *v);

/*
 * What a pod gets that asks for @wanted, for a person or as JSON. Returns CLI_DONE when it would
 * run, as far as can be said.
 */
int wish_show(const struct image_answer *a, const struct platform *wanted, bool as_json);
