/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup.h"

/* A directory that plays a cgroup: <dir>/c, v1 or v2 as the texts say that are parsed for it. */
struct fake_cgroup {
	char dir[64];
	struct cgroup cg;
};

static inline void fake_cgroup_init(struct fake_cgroup *f, bool unified)
{
	char members[] = "2:cpu,cpuacct,memory,pids,blkio,hugetlb,rdma:/c\n0::/c\n", mounts[512];
	FILE *p = fmemopen(members, strlen(members), "r"), *m;
	struct err err;

	*f = (struct fake_cgroup){ .dir = "/tmp/crossarch-test.XXXXXX" };
	assert_non_null(mkdtemp(f->dir));
	str_fmt(mounts, sizeof(mounts),
		"1 0 0:1 / %s rw - %s none rw%s\n2 0 0:2 / %s rw - %s none rw\n", f->dir,
		unified ? "cgroup2" : "cgroup",
		unified ? "" : ",cpu,cpuacct,memory,pids,blkio,hugetlb,rdma", "/sys/fs/cgroup",
		unified ? "cgroup2" : "tmpfs");
	m = fmemopen(mounts, strlen(mounts), "r");
	assert_int_equal(cgroup_parse(&f->cg, p, m, &err), 0);
	assert_int_equal(f->cg.unified, unified);
	fclose(p);
	fclose(m);
	str_fmt(mounts, sizeof(mounts), "%s/c", f->dir);
	assert_string_equal(cgroup_dir(&f->cg, CGROUP_MEMORY), mounts);
	assert_int_equal(mkdir(mounts, 0755), 0);
}

static inline void fake_cgroup_deinit(struct fake_cgroup *f)
{
	char command[96];

	str_fmt(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	cgroup_deinit(&f->cg);
}

/* Writes a file in place, as the kernel changes one. */
static inline void fake_cgroup_file(struct fake_cgroup *f, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	str_fmt(path, sizeof(path), "%s/c/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/*
 * Runs @command with the directory of @path in every hierarchy of this host; 0 when all went well.
 * Not in cpuset: a new one takes no process before it has processors.
 */
static inline int each_hierarchy(const char *command, const char *path)
{
	char line[512];

	str_fmt(line, sizeof(line),
		"s=0; for p in $(awk '/ - cgroup2? / && !/cpuset/ {print $5}' "
		"/proc/self/mountinfo); do "
		"%s \"$p%s\" || s=1; done 2>/dev/null; exit $s",
		command, path);
	return system(line);
}
