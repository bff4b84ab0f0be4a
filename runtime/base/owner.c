/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/owner.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/mem.h"

/* What the kernel shows for owners that a user namespace does not map (user_namespaces(7)). */
#define OVERFLOW_UID 65534

/* Whether every user number has a meaning here, which is so in the first user namespace. */
static bool all_mapped(void)
{
	CLEANUP_FD int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned int inside, outside, count;
	char text[256];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return true;
	text[n] = '\0';
	return sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 && !inside && !outside &&
	       count >= OVERFLOW_UID;
}

bool owner_is_trusted(const struct stat *st)
{
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return false;
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return true;
	return st->st_uid == OVERFLOW_UID && !all_mapped();
}
