/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/metrics.h"

#include "runtime/base/fd.h"
#include "shim/host/metrics_v1.h"
#include "shim/host/metrics_v2.h"

#define FILE_MAX ((size_t)128 << 10)

int metrics_read(const struct cgroup *cg, struct buf *out, struct err *err)
{
	struct reader r = {
		.cg = cg, .w = { .out = out, .err = err }, .text = BUF_INIT(FILE_MAX), .dir = -1
	};

	if (cg->unified)
		metrics_v2(&r);
	else
		metrics_v1(&r);
	fd_close(&r.dir);
	buf_deinit(&r.text);
	if (!r.found)
		return err_set(err, ERR_NOT_FOUND, "cgroup does not exist");
	return r.w.failed ? err_in(err, "metrics") : 0;
}

const char *metrics_type_url(const struct cgroup *cg)
{
	return cg->unified ? "io.containerd.cgroups.v2.Metrics"
			   : "io.containerd.cgroups.v1.Metrics";
}
