/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/pull_cause.h"

#include "runtime/base/mem.h"

enum cause pull_cause(enum pull_failure failure)
{
	static const enum cause causes[PULL_FAILURE_N] = {
		[PULL_DENIED] = CAUSE_PLATFORM_PULL_DENIED,
		[PULL_NO_PLATFORM] = CAUSE_PLATFORM_UNAVAILABLE,
		[PULL_NOT_FOUND] = CAUSE_PLATFORM_PULL_NOT_FOUND,
		[PULL_CORRUPT] = CAUSE_PLATFORM_PULL_CORRUPT,
		[PULL_DISK_FULL] = CAUSE_PLATFORM_PULL_DISK_FULL,
		[PULL_LATER] = CAUSE_PLATFORM_PULL_FAILED,
		[PULL_UNREACHABLE] = CAUSE_PLATFORM_PULL_UNREACHABLE,
		[PULL_GONE] = CAUSE_PLATFORM_PULL_GONE,
		[PULL_OTHER] = CAUSE_PLATFORM_PULL_FAILED,
	};

	ASSERT(failure < PULL_FAILURE_N && causes[failure] != CAUSE_NONE);
	return causes[failure];
}
