/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/seccomp_arch.h"

#include <ctype.h>
#include <seccomp.h>

#include "runtime/base/str.h"

uint32_t seccomp_arch_token(const char *name)
{
	const char *text = name ? str_after(name, "SCMP_ARCH_") : NULL;
	char lower[32] = "";

	for (size_t i = 0; text && text[i] && i + 1 < sizeof(lower); i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	return text ? seccomp_arch_resolve_name(lower) : 0;
}

bool seccomp_arch_has_call(const struct arch *a, const char *name)
{
	uint32_t token = seccomp_arch_token(a->seccomp);

	return !token || seccomp_syscall_resolve_name_arch(token, name) >= 0;
}
