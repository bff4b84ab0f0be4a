/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/pull_lease.h"

#include <string.h>
#include <time.h>

#include "runtime/base/str.h"
#include "runtime/containerd/lease.h"

#define PERIOD 43200 /* seconds */
#define ANSWER_MAX (16u << 20)

static void name_of(const char *digest, long long period, char *ret, size_t size)
{
	const char *colon = strchr(digest, ':');

	(void)str_fmt(ret, size, "crossarch-pull-%.24s-%lld", colon ? colon + 1 : digest, period);
}

int pull_lease_take(struct rpc *rpc, const char *digest, struct err *err)
{
	long long now = time(NULL), period = now / PERIOD;
	char id[80];

	name_of(digest, period, id, sizeof(id));
	if (lease_begin(rpc, id, (unsigned int)((period + 2) * PERIOD - now), err) == 0)
		return 0;
	if (err->code != ERR_EXISTS)
		return -1;
	rpc_use_lease(rpc, id);
	return 0;
}

static int end_both(struct rpc *rpc, const char *digest,
		    int (*end)(struct rpc *rpc, const char *id, struct err *err), struct err *err)
{
	long long period = time(NULL) / PERIOD;
	char id[80];

	rpc_leave_lease(rpc);
	for (int i = 0; i < 2; i++) {
		name_of(digest, period - i, id, sizeof(id));
		if (end(rpc, id, err) < 0 && err->code != ERR_NOT_FOUND)
			return -1;
	}
	return 0;
}

int pull_lease_end(struct rpc *rpc, const char *digest, struct err *err)
{
	return end_both(rpc, digest, lease_end, err);
}

int pull_lease_drop(struct rpc *rpc, const char *digest, struct err *err)
{
	return end_both(rpc, digest, lease_drop, err);
}

static bool keeps_nothing(struct rpc *rpc, const char *id)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct lease_resource *all;
	struct err ignored;
	size_t n;

	return lease_list(rpc, id, &arena, &all, &n, &ignored) == 0 && !n;
}

void pull_lease_leave(struct rpc *rpc, const char *digest)
{
	struct err ignored;
	char id[80];

	rpc_leave_lease(rpc);
	name_of(digest, time(NULL) / PERIOD, id, sizeof(id));
	if (keeps_nothing(rpc, id))
		(void)!lease_end(rpc, id, &ignored);
}
