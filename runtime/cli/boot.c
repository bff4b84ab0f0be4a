/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define FILE_MAX_BYTES (64u << 10)

/* In the order of precedence: a file hides those of its name further down. */
static const char *const dirs[] = { BOOT_DIR, "/run/binfmt.d", "/usr/local/lib/binfmt.d",
				    "/usr/lib/binfmt.d" };

/* True when a line of @text registers @name: the name stands between the first two delimiters. */
static bool registers(const char *text, const char *name)
{
	size_t n = strlen(name), length;
	const char *line;

	while (str_line(&text, &line, &length)) {
		line += strspn(line, " \t");
		if (!strchr("#;\n", *line) && strncmp(line + 1, name, n) == 0 &&
		    line[n + 1] == *line)
			return true;
	}
	return false;
}

/* A file of the same name in a directory of higher precedence, perhaps a link to /dev/null. */
static bool is_hidden(size_t dir, const char *file)
{
	char path[512];

	for (size_t i = 0; i < dir; i++)
		if (str_fmt(path, sizeof(path), "%s/%s", dirs[i], file) &&
		    faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

static bool search_dir(size_t dir, const char *name, char *ret, size_t size)
{
	DIR *d = opendir(dirs[dir]);
	struct dirent *e;
	bool found = false;

	if (!d)
		return false;
	while (!found && (e = readdir(d))) {
		CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
		struct err ignored;

		found = str_ends(e->d_name, ".conf") && !is_hidden(dir, e->d_name) &&
			file_read(dirfd(d), e->d_name, &text, &ignored) == 0 &&
			registers(buf_str(&text), name) &&
			str_fmt(ret, size, "%s/%s", dirs[dir], e->d_name);
	}
	closedir(d);
	return found;
}

void boot_file_of(const char *name, char *ret, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (search_dir(i, name, ret, size))
			return;
	if (!str_fmt(ret, size, "/var/lib/binfmts/%s", name) || access(ret, F_OK) < 0)
		ret[0] = '\0';
}

void boot_file_own(const char *name, char *ret, size_t size)
{
	(void)str_fmt(ret, size, BOOT_DIR "/%s.conf", name);
}

int boot_file_write(const char *name, const char *line, bool *ret_changed, struct err *err)
{
	CLEANUP_BUF struct buf old = BUF_INIT(FILE_MAX_BYTES);
	CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
	struct err ignored;
	char path[256];

	boot_file_own(name, path, sizeof(path));
	if (buf_printf(&text, err,
		       "# Written by \"crossarch emulators install\"; \"crossarch emulators "
		       "remove\" takes it away.\n%s\n",
		       line) < 0)
		return -1;
	*ret_changed = file_read(AT_FDCWD, path, &old, &ignored) < 0 ||
		       !str_eq(buf_str(&old), buf_str(&text));
	if (!*ret_changed)
		return 0;
	if (dir_make(BOOT_DIR, 0755, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, path, 0644, text.data, text.len, err);
}

int boot_file_remove(const char *name, bool *ret_removed, struct err *err)
{
	char path[256];

	boot_file_own(name, path, sizeof(path));
	*ret_removed = unlink(path) == 0;
	if (!*ret_removed && errno != ENOENT)
		return err_sys(err, ERR_IO, "remove %s", path);
	return 0;
}
