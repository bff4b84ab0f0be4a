/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/bench/bench.h"

#define PROC_FILE_MAX (256u << 10)

/* True when the words @option @value follow each other in a command line of /proc. */
static bool has_option(const struct buf *line, const char *option, const char *value)
{
	const char *word = (const char *)line->data, *end = word + line->len;

	for (const char *before = ""; word < end; before = word, word += strlen(word) + 1)
		if (str_eq(before, option) && str_eq(word, value))
			return true;
	return false;
}

static bool serves(const struct bench *b, const char *pid, const char *id)
{
	struct buf CLEANUP_BUF name = BUF_INIT(PROC_FILE_MAX);
	struct buf CLEANUP_BUF line = BUF_INIT(PROC_FILE_MAX);
	char path[64];
	struct err err;

	str_fmt(path, sizeof(path), "/proc/%s/comm", pid);
	if (file_read(AT_FDCWD, path, &name, &err) < 0 ||
	    !str_after(buf_str(&name), "containerd-shim"))
		return false;
	str_fmt(path, sizeof(path), "/proc/%s/cmdline", pid);
	return file_read(AT_FDCWD, path, &line, &err) == 0 && line.len &&
	       has_option(&line, "-id", id) && has_option(&line, "-address", b->socket);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int shim_pid(const struct bench *b, const char *id, int *ret, struct err *err)
{
	DIR *dir CLEANUP(close_dir) = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && serves(b, entry->d_name, id)) {
			*ret = atoi(entry->d_name);
			return 0;
		}
	return err_set(err, ERR_NOT_FOUND, "no shim of %s runs", id);
}

/* The number after "@name:" at the beginning of a line. */
static double member(const struct buf *text, const char *name)
{
	const char *line = buf_str(text);
	const char *value;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		value = str_after(line, name);
		if (value && *value == ':')
			return strtod(value + 1, NULL);
	}
	return 0;
}

int process_usage(int pid, struct usage *ret, struct err *err)
{
	struct buf CLEANUP_BUF rollup = BUF_INIT(PROC_FILE_MAX);
	struct buf CLEANUP_BUF status = BUF_INIT(PROC_FILE_MAX);
	char path[64];

	str_fmt(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	if (file_read(AT_FDCWD, path, &rollup, err) < 0)
		return -1;
	str_fmt(path, sizeof(path), "/proc/%d/status", pid);
	if (file_read(AT_FDCWD, path, &status, err) < 0)
		return -1;
	*ret = (struct usage){
		.private_dirty = member(&rollup, "Private_Dirty"),
		.pss = member(&rollup, "Pss"),
		.rss = member(&rollup, "Rss"),
		.threads = member(&status, "Threads"),
	};
	return process_cpu(pid, &ret->cpu, err);
}

int process_cpu(int pid, double *ret, struct err *err)
{
	char path[64];
	struct dirent *entry;
	double total = 0;

	str_fmt(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir CLEANUP(close_dir) = opendir(path);
	if (!dir)
		return err_sys(err, ERR_IO, "open %s", path);
	while ((entry = readdir(dir))) {
		struct buf CLEANUP_BUF text = BUF_INIT(PROC_FILE_MAX);

		if (entry->d_name[0] == '.')
			continue;
		str_fmt(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", pid, entry->d_name);
		if (file_read(AT_FDCWD, path, &text, err) < 0)
			return -1;
		total += strtod(buf_str(&text), NULL) / 1e6;
	}
	*ret = total;
	return 0;
}
