/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/buf.h"
#include "shim/host/cgroup.h"

/* Room for the metrics of any host we can imagine: hundreds of processors and disks. */
#define METRICS_MAX ((size_t)256 << 10)

/*
 * The answer to Stats (shim/README.md, Statistics): reads a cgroup's files and appends a packed
 * io.containerd.cgroups.v1.Metrics or io.containerd.cgroups.v2.Metrics to @out, whose maximum
 * should be METRICS_MAX. Files that do not exist are left out; ERR_NOT_FOUND when the cgroup itself
 * does not exist.
 */
MUST_CHECK int metrics_read(const struct cgroup *cg, struct buf *out, struct err *err);

/* The bare type_url that goes with it. Static storage. */
const char *metrics_type_url(const struct cgroup *cg);
