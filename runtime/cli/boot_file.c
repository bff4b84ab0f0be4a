/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/boot_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_kind.h"
#include "runtime/binfmt/rule.h"

#define FILE_MAX_BYTES (64u << 10)
#define LINE_MAX_BYTES (REGISTER_MAX + 1)

/* update-binfmts keeps what it registers here. */
#define RECORDS_DIR "/var/lib/binfmts"

/* In the order of precedence: a file hides those of its name further down. */
static const char *const dirs[] = { BOOT_DIR, RUN_DIR, "/usr/local/lib/binfmt.d",
				    "/usr/lib/binfmt.d" };

/* Where our own files are. */
static const char *const own_dirs[] = { BOOT_DIR, RUN_DIR };

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
		if (!str_eq(dirs[i], RUN_DIR) && search_dir(i, name, ret, size))
			return; /* what is in RUN_DIR is gone after a reboot */
	if (!str_fmt(ret, size, RECORDS_DIR "/%s", name) || access(ret, F_OK) < 0)
		ret[0] = '\0';
}

bool boot_reader_is(enum boot_reader r)
{
	if (r == BOOT_BINFMT_SUPPORT)
		return access("/usr/sbin/update-binfmts", X_OK) == 0;
	return access("/usr/lib/systemd/systemd-binfmt", X_OK) == 0 ||
	       access("/lib/systemd/systemd-binfmt", X_OK) == 0;
}

bool boot_file_is_read(const char *file)
{
	return *file && boot_reader_is(str_after(file, RECORDS_DIR "/") ? BOOT_BINFMT_SUPPORT
									: BOOT_SYSTEMD);
}

void boot_file_own(const char *name, char *ret, size_t size)
{
	(void)str_fmt(ret, size, BOOT_DIR "/%s.conf", name);
}

/* --- our own files ---------------------------------------------------------------------------- */

bool boot_dir_is_read_only(void)
{
	if (access(BOOT_DIR, W_OK) == 0)
		return false;
	if (errno == ENOENT && access("/etc", W_OK) == 0)
		return false;
	return errno == EROFS;
}

int boot_file_write(const char *name, const char *line, char *ret, size_t size, struct err *err)
{
	CLEANUP_BUF struct buf old = BUF_INIT(FILE_MAX_BYTES);
	CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
	const char *dir = boot_dir_is_read_only() ? RUN_DIR : BOOT_DIR;
	struct err ignored;

	if (!str_fmt(ret, size, "%s/%s.conf", dir, name))
		return err_set(err, ERR_INVALID, "a handler's name is too long: %.80s", name);
	if (buf_printf(&text, err,
		       "# Written by \"crossarch emulators install\"; \"crossarch emulators "
		       "remove\" takes it away.\n%s\n",
		       line) < 0)
		return -1;
	if (file_read(AT_FDCWD, ret, &old, &ignored) == 0 && str_eq(buf_str(&old), buf_str(&text)))
		return 0;
	if (dir_make(dir, 0755, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, ret, 0644, text.data, text.len, err);
}

/* On a read-only root there may be one in BOOT_DIR that came with it, and that stays. */
static int remove_from(const char *dir, const char *name, bool *removed, struct err *err)
{
	char path[256];

	if (!str_fmt(path, sizeof(path), "%s/%s.conf", dir, name))
		return 0;
	if (unlink(path) == 0)
		*removed = true;
	else if (errno != ENOENT && errno != EROFS)
		return err_sys(err, ERR_IO, "remove %s", path);
	return 0;
}

int boot_file_remove(const char *name, bool *ret_removed, struct err *err)
{
	*ret_removed = false;
	for (size_t i = 0; i < ARRAY_SIZE(own_dirs); i++)
		if (remove_from(own_dirs[i], name, ret_removed, err) < 0)
			return -1;
	return 0;
}

/* The part of a line that tells the interpreter: ":NAME:TYPE:OFFSET:MAGIC:MASK:INTERPRETER:FLAGS".
 */
static bool line_names(const char *line, const char *interpreter)
{
	char delimiter = *line;
	const char *p = line;

	for (int i = 0; p && i < 6; i++)
		p = strchr(p + (i > 0), delimiter);
	p = p ? str_after(p + 1, interpreter) : NULL;
	return p && *p == delimiter;
}

/* The line in our file @path that registers @name, terminated. False without. */
static bool read_line(const char *path, const char *name, char *ret, size_t size)
{
	CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
	const char *rest, *line;
	struct err ignored;
	size_t n;

	if (file_read(AT_FDCWD, path, &text, &ignored) < 0)
		return false;
	rest = buf_str(&text);
	while (str_line(&rest, &line, &n))
		if (str_fmt(ret, size, "%.*s", (int)n, line) && registers(ret, name))
			return true;
	return false;
}

bool boot_file_records(const char *name, const char *interpreter)
{
	char path[256], line[LINE_MAX_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(own_dirs); i++)
		if (str_fmt(path, sizeof(path), "%s/%s.conf", own_dirs[i], name) &&
		    read_line(path, name, line, sizeof(line)) && line_names(line, interpreter))
			return true;
	return false;
}

/* "crossarch-arm64" of "crossarch-arm64.conf" in one of our directories. */
static bool is_ours(size_t dir, const char *file, char *ret_name, size_t size)
{
	size_t n = strlen(file);

	return str_after(file, EMULATOR_PREFIX) && str_ends(file, ".conf") &&
	       (dir == 0 || !is_hidden(dir, file)) &&
	       str_fmt(ret_name, size, "%.*s", (int)(n - strlen(".conf")), file);
}

static int each_in(size_t dir, int (*each)(void *data, const char *name, const char *line),
		   void *data)
{
	DIR *d = opendir(own_dirs[dir]);
	struct dirent *e;
	int rc = 0;

	while (d && rc >= 0 && (e = readdir(d))) {
		char name[128], path[512], line[LINE_MAX_BYTES];

		if (is_ours(dir, e->d_name, name, sizeof(name)) &&
		    str_fmt(path, sizeof(path), "%s/%s", own_dirs[dir], e->d_name) &&
		    read_line(path, name, line, sizeof(line)))
			rc = each(data, name, line);
	}
	if (d)
		closedir(d);
	return rc;
}

int boot_file_each(int (*each)(void *data, const char *name, const char *line), void *data)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ARRAY_SIZE(own_dirs); i++)
		rc = each_in(i, each, data);
	return rc;
}
