/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/oci/user.h"
#include "tests/fuzz/fuzz.h"

/* A user, /etc/passwd and /etc/group of an image, each up to the next NUL. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = malloc(n + 3);
	const char *passwd, *group;
	struct user_ids ids;

	ASSERT(text);
	if (n)
		memcpy(text, bytes, n);
	memset(text + n, 0, 3);
	passwd = text + strlen(text) + 1;
	group = passwd + strlen(passwd) + 1;
	if (passwd > text + n || group > text + n)
		return;
	if (!user_resolve(text, passwd, group, &ids))
		return;
	ASSERT(ids.n_groups <= USER_GROUPS_MAX);
	for (size_t i = 0; i < ids.n_groups; i++)
		ASSERT(user_has_group(&ids, ids.groups[i]));
}
