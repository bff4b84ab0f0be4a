/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/containerd/pull_failure.h"
#include "runtime/plan/cause.h"

/* The cause that a pod is told when its platform could not be pulled; cause_is_choice() holds. */
enum cause pull_cause(enum pull_failure failure);
