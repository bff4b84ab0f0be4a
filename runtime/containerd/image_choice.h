/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/arch/platform.h"
#include "runtime/containerd/image_members.h"

/*
 * The member of @m that suits @wanted best (platform_rank.h), of equals the first; NULL when none
 * does, and then image_choice_text() says which there are.
 */
const struct image_member *image_choice(const struct image_members *m,
					const struct platform *wanted);

/* "linux/amd64, linux/arm/v7 and linux/s390x" into @text, cut to fit. */
void image_choice_text(const struct image_members *m, char *text, size_t size);
