/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/metrics_reader.h"

/*
 * Writes io.containerd.cgroups.v2.Metrics (github.com/containerd/cgroups,
 * cgroup2/stats/metrics.proto).
 */
void metrics_v2(struct reader *r);
