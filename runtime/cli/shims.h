/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* The shims of ours that run in this process id namespace. */
struct shims {
	uint64_t n;
	uint64_t private_kb, proportional_kb; /* sums of Private_Dirty and Pss (smaps_rollup) */
};

/* A process that ends meanwhile, or whose memory cannot be read, is left out. */
void shims_look(struct shims *ret);
