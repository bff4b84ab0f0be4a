/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/shims.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define SHIM_NAME "containerd-shim-crossarch-v2"

static bool is_shim(int proc, const char *pid)
{
	char path[64], exe[PATH_MAX];
	const char *name;
	ssize_t n;

	(void)str_fmt(path, sizeof(path), "%.20s/exe", pid);
	n = readlinkat(proc, path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return false;
	exe[n] = '\0';
	name = strrchr(exe, '/');
	/* After an upgrade its file is gone, which the kernel adds to the name. */
	return name && (str_eq(name + 1, SHIM_NAME) || str_eq(name + 1, SHIM_NAME " (deleted)"));
}

static uint64_t kb_of(const char *rollup, const char *field)
{
	const char *at = strstr(rollup, field);

	return at ? strtoull(at + strlen(field), NULL, 10) : 0;
}

static void add(int proc, const char *pid, struct shims *s)
{
	struct buf CLEANUP_BUF text = BUF_INIT(8192);
	char path[64];
	struct err err;

	(void)str_fmt(path, sizeof(path), "%.20s/smaps_rollup", pid);
	if (file_read(proc, path, &text, &err) < 0 || !text.len)
		return;
	s->n++;
	s->private_kb += kb_of(buf_str(&text), "\nPrivate_Dirty:");
	s->proportional_kb += kb_of(buf_str(&text), "\nPss:");
}

void shims_look(struct shims *ret)
{
	DIR *proc = opendir("/proc");
	const struct dirent *d;

	*ret = (struct shims){ .n = 0 };
	while (proc && (d = readdir(proc)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && is_shim(dirfd(proc), d->d_name))
			add(dirfd(proc), d->d_name, ret);
	if (proc)
		closedir(proc);
}
