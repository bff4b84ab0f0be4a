/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Who a user of an image is: what containerd makes of "USER[:GROUP]" with an image's /etc/passwd
 * and /etc/group (pkg/oci/spec_opts.go, WithUser() and WithAdditionalGIDs()).
 */
#define USER_GROUPS_MAX 256

struct user_ids {
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX]; /* those that list the user as a member */
	size_t n_groups;
};

/*
 * False when there is no such user or group. A number needs none: its group is that of the entry
 * with this number, else 0. @passwd and @group are the files' texts, "" for one that is missing.
 */
bool user_resolve(const char *user, const char *passwd, const char *group, struct user_ids *ret);

bool user_has_group(const struct user_ids *u, gid_t group);
