/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"

/*
 * An OCI platform in containerd's normal form (github.com/containerd/platforms, database.go): lower
 * case, usual variants dropped.
 */
struct platform {
	char os[16], arch[24], variant[16]; /* all empty: unknown */
};

#define PLATFORM_TEXT 64

/*
 * Reads "os/arch[/variant]", or an architecture alone (then the system is linux). ERR_INVALID for
 * anything else; an architecture nobody knows is accepted, since an image may declare it.
 */
MUST_CHECK int platform_parse(const char *text, struct platform *ret, struct err *err);

/* "linux/arm64/v9" into @text. */
void platform_format(const struct platform *p, char text[PLATFORM_TEXT]);

/* The platform's row in the table; NULL when it has none or is not Linux. */
const struct arch *platform_arch(const struct platform *p);

static inline bool platform_known(const struct platform *p)
{
	return p->arch[0] != '\0';
}
