/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/snapshot_look.h"

#include "runtime/containerd/read_only_mount.h"

int snapshot_look(struct rpc *rpc, const char *snapshotter, const char *key, struct arena *arena,
		  struct prepare_mount **ret, size_t *ret_n, struct err *err)
{
	if (snapshot_mounts(rpc, snapshotter, key, arena, ret, ret_n, err) < 0)
		return -1;
	for (size_t i = 0; i < *ret_n; i++)
		if (mount_read_only(&(*ret)[i], arena, err) < 0)
			return -1;
	return 0;
}
