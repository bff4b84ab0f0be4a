/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "tests/tools/faults/faults.h"

#define PATIENCE_MS 4000

static bool mounted_below(const char *dir, char ret[PATH_MAX])
{
	CLEANUP_FILE FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[8192], point[PATH_MAX];
	const char *rest;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		rest = str_after(point, dir);
		if (rest && (*rest == '/' || !*rest))
			return str_copy(ret, PATH_MAX, point);
	}
	return false;
}

static bool cgroup_left(const char *ns, const char *id, char ret[PATH_MAX])
{
	DIR *dir = opendir("/sys/fs/cgroup");
	const struct dirent *d;
	bool found = false;

	while (dir && !found && (d = readdir(dir)))
		found = d->d_name[0] != '.' &&
			str_fmt(ret, PATH_MAX, "/sys/fs/cgroup/%s/%s/%s", d->d_name, ns, id) &&
			access(ret, F_OK) == 0;
	if (dir)
		closedir(dir);
	return found ||
	       (str_fmt(ret, PATH_MAX, "/sys/fs/cgroup/%s/%s", ns, id) && access(ret, F_OK) == 0);
}

static bool engine_state_left(const struct box *b, char ret[PATH_MAX])
{
	return str_fmt(ret, PATH_MAX, "%s/engine/%s/%s", b->pod->w->dir, b->pod->w->ns, b->id) &&
	       access(ret, F_OK) == 0;
}

/* A note of the container among those who use a private instance of binfmt_misc. */
static bool emulators_left(const struct box *b, char ret[PATH_MAX])
{
	DIR *dir = opendir(PRIVATE_DIR);
	char target[PATH_MAX];
	const struct dirent *d;
	bool found = false;
	ssize_t n;

	while (dir && !found && (d = readdir(dir))) {
		str_fmt(ret, PATH_MAX, PRIVATE_DIR "/%s/%s", d->d_name, b->id);
		n = readlink(ret, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		found = str_eq(target, b->bundle);
	}
	if (dir)
		closedir(dir);
	return found;
}

static const char *what_is_left(const struct box *b, char ret[PATH_MAX])
{
	if (mounted_below(b->bundle, ret))
		return "mount";
	if (cgroup_left(b->pod->w->ns, b->id, ret))
		return "cgroup";
	if (engine_state_left(b, ret))
		return "engine's state";
	return emulators_left(b, ret) ? "note of emulators" : NULL;
}

int left_by_box(const struct box *b, struct err *err)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	char where[PATH_MAX];
	const char *what;

	while ((what = what_is_left(b, where))) {
		if (now_ms() > until)
			return err_set(err, ERR_EXISTS, "%s %s is left", what, where);
		pause_ms(5);
	}
	return 0;
}

static pid_t unknown_child(pid_t pid, const pid_t *known, size_t n)
{
	CLEANUP_FILE FILE *file = NULL;
	char path[64];
	int child;

	str_fmt(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &child) == 1) {
		bool is_known = false;

		for (size_t i = 0; i < n; i++)
			is_known = is_known || known[i] == child;
		if (!is_known)
			return child;
	}
	return 0;
}

static void name_of(pid_t pid, char *ret, size_t size)
{
	struct buf CLEANUP_BUF text = BUF_INIT(65536);
	char path[64];
	struct err err;

	str_fmt(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	ret[0] = '\0';
	if (file_read(AT_FDCWD, path, &text, &err) < 0)
		return;
	for (size_t i = 0; i + 1 < text.len; i++)
		if (!text.data[i])
			text.data[i] = ' ';
	str_copy(ret, size, buf_str(&text));
}

int left_children(pid_t pid, const pid_t *known, size_t n, struct err *err)
{
	uint64_t until = now_ms() + PATIENCE_MS;
	char name[200];
	pid_t child;

	while ((child = unknown_child(pid, known, n)) && now_ms() < until) {
		/* What became ours and has ended is there until we say so. */
		while (pid == getpid() && waitpid(-1, NULL, WNOHANG) > 0)
			;
		pause_ms(5);
	}
	if (!child)
		return 0;
	name_of(child, name, sizeof(name));
	return err_set(err, ERR_EXISTS, "process %d (%s) is left", (int)child, name);
}

int left_socket(const struct pod *pod, struct err *err)
{
	if (!pod->socket[0] || access(pod->socket, F_OK) < 0)
		return 0;
	return err_set(err, ERR_EXISTS, "socket %s is left", pod->socket);
}

/* --- figures ---------------------------------------------------------------------------------- */

static unsigned long entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned long n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n > 2 ? n - 2 : 0;
}

static unsigned long sum_of(const char *path, const char *field)
{
	CLEANUP_FILE FILE *file = fopen(path, "re");
	unsigned long sum = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (str_after(line, field))
			sum += strtoul(line + strlen(field), NULL, 10);
	return sum;
}

int usage_of(pid_t pid, struct usage *ret, struct err *err)
{
	char path[64];

	str_fmt(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	ret->rss_kb = sum_of(path, "Rss:");
	ret->private_kb = sum_of(path, "Private_Dirty:");
	str_fmt(path, sizeof(path), "/proc/%d/fd", (int)pid);
	ret->descriptors = entries(path);
	str_fmt(path, sizeof(path), "/proc/%d/task", (int)pid);
	ret->threads = entries(path);
	return ret->rss_kb ? 0 : err_set(err, ERR_NOT_FOUND, "no process %d", (int)pid);
}
