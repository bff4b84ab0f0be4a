/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/rearm_count.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define REARM_DIR "/run/crossarch"
#define FILE_MAX_BYTES 4096
#define LOCK_MS 5000

/* The count in a line "NAME COUNT" of @name; false where the line is another one's or none. */
static bool count_of(const char *line, const char *name, unsigned int *ret)
{
	const char *p = str_after(line, name);
	struct err ignored;
	uint64_t count;

	if (!p || *p != ' ' || str_u64(p + 1, "count", UINT_MAX - 1, &count, &ignored) < 0)
		return false;
	*ret = (unsigned int)count;
	return true;
}

/* @old with one more for @name. */
static int add_one(const char *old, const char *name, struct buf *new, unsigned int *ret,
		   struct err *err)
{
	const char *line;
	size_t n;

	*ret = 0;
	while (str_line(&old, &line, &n)) {
		char copy[128];

		if (!str_fmt(copy, sizeof(copy), "%.*s", (int)n, line) || count_of(copy, name, ret))
			continue;
		if (buf_printf(new, err, "%s\n", copy) < 0)
			return -1;
	}
	(*ret)++;
	return buf_printf(new, err, "%s %u\n", name, *ret);
}

int rearm_count(const char *name, unsigned int *ret, struct err *err)
{
	CLEANUP_BUF struct buf old = BUF_INIT(FILE_MAX_BYTES);
	CLEANUP_BUF struct buf new = BUF_INIT(FILE_MAX_BYTES);
	CLEANUP_FD int lock = -1;
	struct err ignored;

	if (dir_make(REARM_DIR, 0755, err) < 0)
		return -1;
	lock = open(REARM_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || fd_lock(lock, LOCK_MS) < 0)
		return err_sys(err, ERR_IO, "lock " REARM_DIR);
	(void)!file_read(AT_FDCWD, REARMED_FILE, &old, &ignored);
	if (add_one(buf_str(&old), name, &new, ret, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, REARMED_FILE, 0644, new.data, new.len, err);
}

int rearmed_read(const char *file, struct rearmed_row *ret, size_t *ret_n, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(64u << 10);
	const char *rest, *line;
	size_t len, n = 0;

	*ret_n = 0;
	if (file_read_regular(AT_FDCWD, file, &text, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : err_in(err, "%s", file);
	rest = buf_str(&text);
	while (n < REARMED_MAX && str_line(&rest, &line, &len)) {
		unsigned long long count;
		char copy[128], more;

		if (!str_fmt(copy, sizeof(copy), "%.*s", (int)len, line) ||
		    sscanf(copy, "%63s %llu %c", ret[n].name, &count, &more) != 2)
			continue;
		ret[n++].count = count;
	}
	*ret_n = n;
	return 0;
}
