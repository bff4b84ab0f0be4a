/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/read_only_mount.h"

#include <stdbool.h>
#include <string.h>

#include "runtime/base/str.h"

static size_t count(const char *const *options)
{
	size_t n = 0;

	while (options[n])
		n++;
	return n;
}

static const char *value_of(const struct prepare_mount *m, const char *key)
{
	for (const char *const *o = m->options; *o; o++)
		if (str_after(*o, key))
			return str_after(*o, key);
	return NULL;
}

/* Two overlays must not share an upper directory; as the topmost of the lower ones it can be shown
 * any number of times. */
static const char *lower_of(const struct prepare_mount *m, struct arena *arena)
{
	const char *upper = value_of(m, "upperdir="), *lower = value_of(m, "lowerdir=");
	size_t size = strlen(upper) + (lower ? strlen(lower) : 0) + sizeof("lowerdir=:");
	char *ret = arena_alloc(arena, size);

	if (ret)
		(void)str_fmt(ret, size, "lowerdir=%s%s%s", upper, lower ? ":" : "",
			      lower ? lower : "");
	return ret;
}

static bool is_for_writing(const char *option)
{
	return str_eq(option, "rw") || str_after(option, "upperdir=") ||
	       str_after(option, "workdir=") || str_after(option, "lowerdir=") ||
	       str_eq(option, "volatile");
}

int mount_read_only(struct prepare_mount *m, struct arena *arena, struct err *err)
{
	bool layered = str_eq(m->type, "overlay") && value_of(m, "upperdir=");
	const char **options =
		arena_alloc(arena, (count((const char *const *)m->options) + 3) * sizeof(*options));
	const char *lower = layered ? lower_of(m, arena) : NULL;
	size_t n = 0;

	if (!options || (layered && !lower))
		return err_set(err, ERR_NOMEM, "no memory for mount options");
	for (const char *const *o = m->options; *o; o++)
		if (layered ? !is_for_writing(*o) : !str_eq(*o, "rw"))
			options[n++] = *o;
	if (layered)
		options[n++] = lower;
	options[n++] = "ro";
	m->options = options;
	return 0;
}
