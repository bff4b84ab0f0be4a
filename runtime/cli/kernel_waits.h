/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * What each container waits for in the kernel, whatever runtime starts it. Microseconds, the median
 * of some rounds; 0 where it cannot be found out.
 */
struct kernel_waits {
	unsigned int move;    /* the first move of a process between cgroups after a pause */
	unsigned int unmount; /* taking away a mount */
};

/*
 * Measures both in a child, which takes a second and changes nothing. Forks, so before the first
 * gRPC call.
 */
MUST_CHECK int kernel_waits_measure(struct kernel_waits *ret, struct err *err);
