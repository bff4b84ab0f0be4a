/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/host/host.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/base/str.h"

int host_probe(struct host *ret, struct err *err)
{
	struct utsname name;

	memset(ret, 0, sizeof(*ret));
	if (uname(&name) < 0)
		return err_sys(err, ERR_IO, "uname");
	ret->arch = arch_by_name(name.machine, strlen(name.machine));
	if (!ret->arch)
		return err_set(err, ERR_UNSUPPORTED, "this node's machine \"%s\" is not known",
			       name.machine);
	ret->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	ret->compat32 = probe_compat32();
	ret->x32 = probe_x32();
	ret->x86_level = probe_x86_level();
	ret->high_addresses = probe_high_addresses();
	return 0;
}

enum host_can host_runs(const struct host *h, const struct arch *a)
{
	if (a->machine == h->arch->machine && a->cls == h->arch->cls && a->order == h->arch->order)
		return HOST_YES;
	if (str_eq(a->name, "x32") && str_eq(h->arch->name, "amd64"))
		return h->x32;
	if (a->compat_of && str_eq(a->compat_of, h->arch->name))
		return h->compat32;
	return HOST_NO;
}
