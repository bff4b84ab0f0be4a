/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/entrypoint.h"

#include <string.h>

#include "runtime/base/str.h"

/* What the engines assume for a process without PATH. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool runnable(const struct found *f)
{
	return f->kind == FOUND_FILE && (f->mode & 0111);
}

static void none(struct found *f)
{
	found_deinit(f);
	memset(f, 0, sizeof(*f));
	f->fd = -1;
}

/* Keeps the first file that is there but cannot be run, in case nothing better comes. */
static void keep(struct found *best, char *best_name, struct found *f, const char *name)
{
	if (best->kind != FOUND_UNKNOWN || f->kind == FOUND_MISSING)
		return;
	*best = *f;
	f->fd = -1;
	memcpy(best_name, name, strlen(name) + 1);
}

/*
 * One directory after the other. A directory that is not known before the start, or a relative one
 * (the engines differ about those), may hold the program: then nothing can be said.
 */
static void search(struct rootfs_view *v, const struct spec_process *p, const char *path,
		   char *ret_name, struct found *ret)
{
	char best_name[PATH_MAX];
	struct found best = FOUND_INIT;

	for (;; path++) {
		size_t n = strcspn(path, ":");

		none(ret);
		if (!n || *path != '/' ||
		    !str_fmt(ret_name, PATH_MAX, "%.*s/%s", (int)n, path, p->args[0]))
			break;
		view_find(v, p->cwd, ret_name, ret);
		if (runnable(ret) || ret->kind == FOUND_UNKNOWN)
			break;
		keep(&best, best_name, ret, ret_name);
		path += n;
		if (*path)
			continue;
		none(ret);
		ret->kind = FOUND_MISSING;
		(void)str_copy(ret_name, PATH_MAX, p->args[0]);
		if (best.kind == FOUND_UNKNOWN)
			break;
		*ret = best;
		best.fd = -1;
		memcpy(ret_name, best_name, strlen(best_name) + 1);
		break;
	}
	found_deinit(&best);
}

void entrypoint_find(struct rootfs_view *v, const struct spec_process *p, char *ret_name,
		     struct found *ret)
{
	const char *path = spec_env(p, "PATH");

	none(ret);
	if (!str_copy(ret_name, PATH_MAX, p->args[0]))
		return;
	if (strchr(p->args[0], '/'))
		view_find(v, p->cwd, p->args[0], ret);
	else
		search(v, p, path ? path : DEFAULT_PATH, ret_name, ret);
}
