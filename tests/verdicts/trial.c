/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/binfmt/registry.h"
#include "tests/verdicts/verdicts.h"

uint64_t pick(struct trial *t, uint64_t below)
{
	return tree_random(&t->tree, below);
}

void label(struct trial *t, const char *fmt, ...)
{
	size_t n = strlen(t->label);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t->label + n, sizeof(t->label) - n, fmt, ap);
	va_end(ap);
}

void put_elf(struct trial *t, const char *path, const struct elf *e, mode_t mode)
{
	tree_file(&t->tree, path, e->bytes, e->size, mode);
}

void put_program(struct trial *t, const char *path, enum machine m, unsigned int status)
{
	static struct elf e;

	elf_make(&e, m, NULL, status);
	put_elf(t, path, &e, 0755);
}

void put_loader(struct trial *t, const char *path, enum machine m)
{
	static struct elf e;

	elf_make_loader(&e, m);
	put_elf(t, path, &e, 0755);
}

void put_host(struct trial *t, const char *name, const void *bytes, size_t n, mode_t mode)
{
	char path[PATH_MAX];
	int fd;

	(void)str_fmt(path, sizeof(path), "%s/%s", t->host_dir, name);
	for (char *p = strchr(path + strlen(t->host_dir) + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ASSERT(fd >= 0 && fd_write_all(fd, bytes, n) == 0 && fchmod(fd, mode) == 0);
	fd_close(&fd);
}

void put_host_program(struct trial *t, const char *name, enum machine m, unsigned int status)
{
	static struct elf e;

	elf_make(&e, m, NULL, status);
	put_host(t, name, e.bytes, e.size, 0755);
}

/* --- binfmt_misc --------------------------------------------------------------------------- */

static bool write_to(const char *name, const char *text)
{
	char path[PATH_MAX];
	bool good;
	int fd;

	(void)str_fmt(path, sizeof(path), BINFMT_DIR "/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	fd_close(&fd);
	return good;
}

void handler_register(struct trial *t, const char *line)
{
	t->handlers = true;
	if (!write_to("register", line))
		label(t, "(not registered: %s) ", strerror(errno));
}

void handler_switch(struct trial *t, const char *name, const char *value)
{
	t->handlers = true;
	ASSERT(write_to(name, value));
}

void handlers_clear(void)
{
	ASSERT(write_to("status", "-1") && write_to("status", "1"));
}
