/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/metrics_reader.h"

/*
 * Writes io.containerd.cgroups.v1.Metrics (github.com/containerd/cgroups,
 * cgroup1/stats/metrics.proto).
 */
void metrics_v1(struct reader *r);
