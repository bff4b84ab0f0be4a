/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/arch/platform.h"

/*
 * How well what was built for @have suits who wants @wanted: 0 best, then one more for each version
 * of the processor it is older; -1: not at all. The order of variants is that of containerd's
 * platforms package (compare.go): arm/v6 runs where arm/v7 is wanted, arm64/v9.0 has all of v8.5.
 * Another architecture never suits, though such a processor may run it as well: who asks for arm64
 * does not mean arm.
 */
int platform_rank(const struct platform *wanted, const struct platform *have);
