/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/container_snapshot.h"

#include <string.h>

#include "runtime/base/str.h"

/*
 * containerd 1.x gives a pod with a user namespace a copy of the layers whose owners are shifted,
 * named after them with "-UID-GID" (pkg/cri/... WithRemappedSnapshot).
 */
static bool is_copy(const char *parent)
{
	const char *digits = str_after(parent, "sha256:");

	return digits && digits[strspn(digits, "0123456789abcdef")] == '-';
}

/*
 * From version 2.2 on containerd itself mounts what needs more than mount(2) and gives the shim
 * what came of it; the snapshotter gives us what it has.
 */
static bool can_mount(const char *type, const struct rootfs_mounts *before)
{
	bool known = str_eq(type, "overlay") || str_eq(type, "bind");

	for (size_t i = 0; i < before->n && !known; i++)
		known = str_eq(before->list[i].type, type);
	return known;
}

static int check_mounts(const struct rootfs_mounts *mounts, const struct rootfs_mounts *before,
			struct err *err)
{
	for (size_t i = 0; i < mounts->n; i++)
		if (!can_mount(mounts->list[i].type, before))
			return err_set(err, ERR_UNSUPPORTED,
				       "the snapshotter mounts its layers as \"%.40s\", which only "
				       "containerd itself can do",
				       mounts->list[i].type);
	return 0;
}

int container_snapshot_swap(struct rpc *rpc, const struct container_record *c, const char *chain,
			    struct arena *arena, struct rootfs_mounts *mounts, struct err *err)
{
	struct rootfs_mounts now;
	struct snapshot_info info;
	int rc;

	if (snapshot_stat(rpc, c->snapshotter, c->snapshot_key, arena, &info, err) < 0)
		return err_in(err, "the container's snapshot");
	if (is_copy(info.parent))
		return err_set(err, ERR_UNSUPPORTED,
			       "this containerd copies the layers for a pod with a user namespace");
	if (str_eq(info.parent, chain)) {
		rc = snapshot_mounts(rpc, c->snapshotter, c->snapshot_key, arena, &now.list, &now.n,
				     err);
	} else {
		info.parent = chain;
		if (snapshot_remove(rpc, c->snapshotter, c->snapshot_key, err) < 0 &&
		    err->code != ERR_NOT_FOUND)
			return err_in(err, "remove the container's snapshot");
		rc = snapshot_prepare(rpc, c->snapshotter, c->snapshot_key, &info, arena, &now.list,
				      &now.n, err);
	}
	if (rc < 0)
		return err_in(err, "the container's snapshot on other layers");
	if (check_mounts(&now, mounts, err) < 0)
		return -1;
	*mounts = now;
	return 0;
}
