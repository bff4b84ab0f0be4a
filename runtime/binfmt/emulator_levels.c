/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/binfmt/emulator_levels.h"

#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define LINES_MAX 32
#define LINE_MAX_BYTES (LEVELS_MAX_BYTES / LINES_MAX)

void levels_read(const char *path, struct buf *ret)
{
	CLEANUP_FD int fd =
		fd_openat2(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, 0);
	struct err ignored;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return;
	if (fd_read_all(fd, path, ret, &ignored) < 0)
		buf_deinit(ret);
}

/* What a line for this emulator and model has in front of its level. */
static void write_key(const struct stat *st, char *ret, size_t size)
{
	(void)str_fmt(ret, size, "%llu %llu %lld%09ld ", (unsigned long long)st->st_dev,
		      (unsigned long long)st->st_ino, (long long)st->st_ctim.tv_sec,
		      st->st_ctim.tv_nsec);
}

/* The level of one line with @key and @model, or 0. */
static unsigned int level_of(const char *line, size_t n, const char *key, const char *model)
{
	size_t key_len = strlen(key), model_len = strlen(model);
	const char *rest = line + key_len;

	if (n != key_len + strlen("1 =") + model_len || memcmp(line, key, key_len) != 0 ||
	    rest[0] < '1' || rest[0] > '4' || memcmp(rest + 1, " =", 2) != 0 ||
	    memcmp(rest + 3, model, model_len) != 0)
		return 0;
	return (unsigned int)(rest[0] - '0');
}

unsigned int levels_find(const char *text, const struct stat *st, const char *model)
{
	unsigned int level = 0;
	const char *line;
	char key[80];
	size_t n;

	write_key(st, key, sizeof(key));
	while (!level && str_line(&text, &line, &n))
		level = level_of(line, n, key, model);
	return level;
}

static bool is_writable(const char *model)
{
	size_t n = strlen(model);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)model[i] <= ' ' || model[i] == 0x7f)
			return false;
	return n <= LEVELS_MODEL_MAX;
}

int levels_add(const char *text, const struct stat *st, const char *model, unsigned int level,
	       struct buf *ret, struct err *err)
{
	unsigned int lines = 1;
	const char *line;
	char key[80];
	size_t n;

	if (!is_writable(model))
		return err_set(err, ERR_INVALID, "the model \"%.80s\" cannot be noted", model);
	write_key(st, key, sizeof(key));
	if (buf_printf(ret, err, "%s%u =%s\n", key, level, model) < 0)
		return -1;
	while (lines < LINES_MAX && str_line(&text, &line, &n)) {
		if (n >= LINE_MAX_BYTES || level_of(line, n, key, model))
			continue;
		if (buf_printf(ret, err, "%.*s\n", (int)n, line) < 0)
			return -1;
		lines++;
	}
	return 0;
}
