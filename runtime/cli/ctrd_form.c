/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/ctrd_form.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/prepare/configure.h"

struct version {
	unsigned long major, minor, patch;
};

/* Zeros for what is not there: a version nobody can read is an old one. */
static struct version version_of(const char *text)
{
	struct version v = { 0, 0, 0 };
	char *end;

	v.major = strtoul(text, &end, 10);
	if (*end == '.')
		v.minor = strtoul(end + 1, &end, 10);
	if (*end == '.')
		v.patch = strtoul(end + 1, &end, 10);
	return v;
}

/* Tells the kubelet of features, and asks for them only where the runtime is called runc's. */
static bool asks_runc_only(const struct version *v)
{
	if (v->major != 2 || v->minor > 3)
		return false;
	return v->minor < 2 || v->patch < (v->minor == 2 ? 7 : 4);
}

void ctrd_form(const char *version, const char *shim, const struct ctrd_config *node,
	       struct ctrd_runtime *ret)
{
	const struct ctrd_runtime *usual = ctrd_runtime_usual(node);
	const struct version v = version_of(version);

	*ret = (struct ctrd_runtime){ .name = "crossarch", .type = CTRD_TYPE };
	if (!asks_runc_only(&v))
		return;
	(void)str_copy(ret->type, sizeof(ret->type), CTRD_RUNC_TYPE);
	(void)str_copy(ret->path, sizeof(ret->path), shim);
	ret->systemd_cgroup = usual && usual->systemd_cgroup;
}

const char *ctrd_form_lacks(const struct ctrd_runtime *r, const char *version)
{
	const struct version v = version_of(version);

	if (r->path[0] && v.major == 1 && v.minor < 7)
		return "this containerd ignores runtime_path, so another shim runs";
	if (r->path[0] && access(r->path, X_OK) < 0)
		return "there is no program at its runtime_path";
	if (asks_runc_only(&v) && !str_eq(r->type, CTRD_RUNC_TYPE))
		return "this containerd asks only runtimes of type " CTRD_RUNC_TYPE
		       " for their features, so the kubelet refuses hostUsers: false and "
		       "recursiveReadOnly: Enabled";
	if (r->config_path[0] && !*ctrd_settings_path(r))
		return "its ConfigPath is not an option of runc's and does not reach the shim, "
		       "which reads " SETTINGS_FILE;
	return NULL;
}

static bool beside_us(char *ret, size_t size)
{
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = n > 0 ? strrchr(self, '/') : NULL;

	return slash && str_fmt(ret, size, "%.*s/" CTRD_SHIM, (int)(slash - self), self) &&
	       access(ret, X_OK) == 0;
}

int ctrd_shim(const struct ctrd *c, char *ret, size_t size, struct err *err)
{
	if (!path_search(c->path, CTRD_SHIM, ret, size) && !beside_us(ret, size))
		return err_set(err, ERR_NOT_FOUND,
			       CTRD_SHIM " is neither in containerd's PATH (%.200s) nor beside "
					 "this program: install it first (make install)",
			       c->path);
	if (strpbrk(ret, "\"\\\n"))
		return err_set(err, ERR_INVALID,
			       "the path of the shim, %.200s, has a quote, backslash or line "
			       "break; install it elsewhere",
			       ret);
	return 0;
}
