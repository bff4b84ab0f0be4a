/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "runtime/base/fd.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"

/* One directory per hierarchy, of which a kernel has at most about twenty. */
#define DIRS_MAX ((size_t)64 << 10)

/* Names as the kernel writes them, in the order of enum cgroup_part; no pointers to relocate. */
static const char part_names[CGROUP_PART_N][16] = {
	[CGROUP_CPU] = "cpu",	    [CGROUP_CPUACCT] = "cpuacct",      [CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",	    [CGROUP_BLKIO] = "blkio",	       [CGROUP_HUGETLB] = "hugetlb",
	[CGROUP_RDMA] = "rdma",	    [CGROUP_DEVICES] = "devices",      [CGROUP_FREEZER] = "freezer",
	[CGROUP_CPUSET] = "cpuset", [CGROUP_SYSTEMD] = "name=systemd", [CGROUP_UNIFIED] = "",
};

bool cgroup_host_is_v2(void)
{
	struct statfs fs;

	return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The set of parts a comma-separated list names; unknown words are ignored. */
static uint16_t parts_of(const char *list)
{
	uint16_t set = 0;

	while (*list) {
		size_t n = strcspn(list, ",");

		for (unsigned int i = 0; i < CGROUP_UNIFIED; i++)
			if (strlen(part_names[i]) == n && !strncmp(part_names[i], list, n))
				set |= (uint16_t)(1u << i);
		list += n + (list[n] == ',');
	}
	return set;
}

/* --- the rows in cgroup.dirs -------------------------------------------------------------- */

static uint16_t row_parts(const char *row)
{
	uint16_t set;

	memcpy(&set, row, sizeof(set));
	return set;
}

static const char *row_dir(const char *row)
{
	return row + sizeof(uint16_t);
}

static size_t row_size(const char *row)
{
	return sizeof(uint16_t) + strlen(row_dir(row)) + 1;
}

/* A buffer to which nothing was added has no bytes: C allows no sum with NULL, not even of 0. */
static char *rows_end(const struct buf *rows)
{
	return rows->len ? (char *)rows->data + rows->len : (char *)rows->data;
}

static int row_add(struct buf *rows, uint16_t parts, const char *mount, const char *path,
		   struct err *err)
{
	if (buf_add(rows, &parts, sizeof(parts), err) < 0 ||
	    buf_printf(rows, err, "%s%s", mount, path) < 0)
		return -1;
	return buf_add(rows, "", 1, err);
}

/* --- finding the directories -------------------------------------------------------------- */

/*
 * One line of /proc/PID/cgroup becomes a row with the path inside the hierarchy: "9:cpu,cpuacct:/a"
 * for v1, "0::/a" for v2. The root of a hierarchy is nobody's own.
 */
static int add_membership(struct buf *wanted, char *line, struct err *err)
{
	const char *number = strsep(&line, ":"), *names = strsep(&line, ":");
	uint16_t parts;

	if (!names || !line || *line != '/' || str_eq(line, "/"))
		return 0;
	parts = !*names && str_eq(number, "0") ? 1u << CGROUP_UNIFIED : parts_of(names);
	return parts ? row_add(wanted, parts, "", line, err) : 0;
}

static uint16_t mount_parts(const struct mountinfo *m)
{
	if (str_eq(m->type, "cgroup2"))
		return 1u << CGROUP_UNIFIED;
	return str_eq(m->type, "cgroup") ? parts_of(m->options) : 0;
}

/* Appends a row for every membership this mount shows, and marks that as found. */
static int add_mount(struct buf *rows, struct buf *wanted, const struct mountinfo *m,
		     struct err *err)
{
	uint16_t parts = mount_parts(m);
	char *end = rows_end(wanted);

	for (char *row = (char *)wanted->data; parts && row < end; row += row_size(row)) {
		const char *below = path_below(row_dir(row), m->root);

		if (!(row_parts(row) & parts) || !below)
			continue;
		if (row_add(rows, row_parts(row), m->point, below, err) < 0)
			return -1;
		memset(row, 0, sizeof(uint16_t));
	}
	return 0;
}

/*
 * True when the rest of the mounts, on a busy node many, need not be read: every membership has its
 * directory, and whether v2 is all there is is settled.
 */
static bool mounts_settled(const struct cgroup *cg, const struct buf *rows,
			   const struct buf *wanted)
{
	const char *row = (const char *)wanted->data, *end = rows_end(wanted);
	bool v1 = false;

	for (; row < end; row += row_size(row))
		if (row_parts(row))
			return false;
	for (row = (const char *)rows->data, end = rows_end(rows); row < end; row += row_size(row))
		v1 = v1 || (row_parts(row) & ~(1u << CGROUP_UNIFIED));
	return cg->unified || v1;
}

int cgroup_parse(struct cgroup *cg, FILE *proc_cgroup, FILE *mountinfo, struct err *err)
{
	CLEANUP_FREE char *line = NULL;
	CLEANUP_BUF struct buf wanted = BUF_INIT(DIRS_MAX);
	CLEANUP_BUF struct buf rows = BUF_INIT(DIRS_MAX);
	struct mountinfo m;
	size_t size = 0;

	*cg = (struct cgroup){ .dirs = NULL };
	while (file_line(proc_cgroup, &line, &size))
		if (add_membership(&wanted, line, err) < 0)
			return -1;
	while (file_line(mountinfo, &line, &size)) {
		if (!mountinfo_parse(line, &m))
			continue;
		if (str_eq(m.type, "cgroup2") && str_eq(m.point, "/sys/fs/cgroup"))
			cg->unified = true;
		if (add_mount(&rows, &wanted, &m, err) < 0)
			return -1;
		if (mount_parts(&m) && mounts_settled(cg, &rows, &wanted))
			break;
	}
	if (!rows.len)
		return err_set(err, ERR_NOT_FOUND, "the process has no cgroup of its own");
	cg->len = rows.len;
	cg->dirs = realloc(rows.data, rows.len);
	if (!cg->dirs)
		cg->dirs = (char *)rows.data;
	rows.data = NULL;
	return 0;
}

int cgroup_open(struct cgroup *cg, pid_t pid, struct err *err)
{
	CLEANUP_FILE FILE *memberships = NULL;
	CLEANUP_FILE FILE *mounts = NULL;
	char path[32];

	*cg = (struct cgroup){ .dirs = NULL };
	str_fmt(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	memberships = fopen(path, "re");
	if (!memberships)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open %s", path);
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return err_sys(err, ERR_IO, "open the list of mounts");
	if (cgroup_parse(cg, memberships, mounts, err) < 0)
		return err_in(err, "cgroup of process %d", (int)pid);
	return 0;
}

void cgroup_deinit(struct cgroup *cg)
{
	free(steal(cg->dirs));
	cg->len = 0;
}

const char *cgroup_dir(const struct cgroup *cg, enum cgroup_part part)
{
	if (cg->unified && part != CGROUP_SYSTEMD)
		part = CGROUP_UNIFIED;
	for (const char *row = cg->dirs; row && row < cg->dirs + cg->len; row += row_size(row))
		if (row_parts(row) & 1u << part)
			return row_dir(row);
	return NULL;
}

int cgroup_dir_open(const struct cgroup *cg, enum cgroup_part part)
{
	const char *dir = cgroup_dir(cg, part);

	if (dir)
		return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	errno = ENOENT;
	return -1;
}

void cgroup_go_up(struct cgroup *cg, const char *name)
{
	char *row = cg->dirs, *kept = row, *end = row ? row + cg->len : row;

	while (row < end) {
		size_t size = row_size(row);
		char *slash = strrchr(row_dir(row), '/');

		if (slash && str_eq(slash + 1, name)) {
			*slash = '\0';
			memmove(kept, row, row_size(row));
			kept += row_size(kept);
		}
		row += size;
	}
	cg->len = (size_t)(kept - cg->dirs);
}

/* --- making and joining ------------------------------------------------------------------- */

static int make_one(const char *mount, const char *below, struct err *err)
{
	char path[PATH_MAX];

	if (!str_fmt(path, sizeof(path), "%s%s", mount, below))
		return err_set(err, ERR_INVALID, "path of the cgroup is too long");
	for (char *slash = path + strlen(mount); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_sys(err, ERR_IO, "make the cgroup %s", path);
		*slash = '/';
	}
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "make the cgroup %s", path);
	return 0;
}

int cgroup_make(const char *path, struct err *err)
{
	CLEANUP_FILE FILE *mounts = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	const char *type = cgroup_host_is_v2() ? "cgroup2" : "cgroup";
	struct mountinfo m;
	size_t size = 0;

	if (*path != '/' || strstr(path, "/.."))
		return err_set(err, ERR_INVALID, "\"%.200s\" is not the path of a cgroup", path);
	if (!mounts)
		return err_sys(err, ERR_IO, "open the list of mounts");
	while (file_line(mounts, &line, &size))
		if (mountinfo_parse(line, &m) && str_eq(m.type, type) &&
		    !str_ends(m.point, "/cpuset") && path_below(path, m.root) &&
		    make_one(m.point, path_below(path, m.root), err) < 0)
			return -1;
	return 0;
}

/* 1: joined. 0: this hierarchy has no such cgroup. */
static int join_one(const char *mount, const char *below, pid_t pid, struct err *err)
{
	char path[PATH_MAX], number[16];
	CLEANUP_FD int fd = -1;

	if (!str_fmt(path, sizeof(path), "%s%s/cgroup.procs", mount, below))
		return err_set(err, ERR_INVALID, "path of the cgroup is too long");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	str_fmt(number, sizeof(number), "%d", (int)pid);
	if (fd < 0 || fd_write_all(fd, number, strlen(number)) < 0)
		return err_sys(err, ERR_IO, "move process %s into %s", number, path);
	return 1;
}

int cgroup_join(const char *path, pid_t pid, struct err *err)
{
	CLEANUP_FILE FILE *mounts = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	const char *type = cgroup_host_is_v2() ? "cgroup2" : "cgroup";
	struct mountinfo m;
	size_t size = 0;
	int joined = 0;

	if (*path != '/' || strstr(path, "/.."))
		return err_set(err, ERR_INVALID, "\"%.200s\" is not the path of a cgroup", path);
	if (!mounts)
		return err_sys(err, ERR_IO, "open the list of mounts");
	while (file_line(mounts, &line, &size)) {
		int r = 0;

		if (mountinfo_parse(line, &m) && str_eq(m.type, type) && path_below(path, m.root))
			r = join_one(m.point, path_below(path, m.root), pid, err);
		if (r < 0)
			return -1;
		joined += r;
	}
	return joined ? 0 : err_set(err, ERR_NOT_FOUND, "no hierarchy has a cgroup %s", path);
}
