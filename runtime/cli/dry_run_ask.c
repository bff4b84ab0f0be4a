/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/dry_run_ask.h"

#include "runtime/base/mem.h"
#include "runtime/prepare/client.h"

int dry_run_ask(const char *program, const char *mode, const struct prepare_request *r, int bundle,
		int platform, struct report *ret, struct err *err)
{
	CLEANUP_FD int request = -1;
	struct prepare_fds fds = { .bundle = bundle, .platform = platform, .log = -1 };
	char path[PATH_MAX];

	if ((!program && prepare_find(path, err) < 0) || request_memfd(r, &request, err) < 0)
		return -1;
	fds.request = request;
	return prepare_ask(program ? program : path, mode, &fds, ret, err);
}
