/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/binfmt/locate.h"

#include <sys/stat.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/*
 * Names in their order of preference: Debian's that promises to keep argv[0], Debian's and Fedora's
 * static ones, and the plain name, which tonistiigi/binfmt and newer Debians use.
 */
static const char *const names[] = { "%s-binfmt-P", "qemu-%s-static", "qemu-%s" };
static const char *const places[] = { "/usr/libexec/qemu-binfmt", "/usr/local/bin", "/usr/bin",
				      "/usr/libexec/crossarch", "/opt/qemu/bin" };

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool find_in(const char *dir, const char *name_of, const char *qemu, char *ret, size_t size)
{
	char name[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)str_fmt(name, sizeof(name), name_of, qemu);
#pragma GCC diagnostic pop
	return str_fmt(ret, size, "%s/%s", dir, name) && is_file(ret);
}

static bool locate_in(const char *dir, const char *qemu, char *ret, size_t size)
{
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		if (find_in(dir, names[n], qemu, ret, size))
			return true;
	return false;
}

bool locate_usual(const char *qemu, char *ret, size_t size)
{
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		for (size_t p = 0; p < ARRAY_SIZE(places); p++)
			if (find_in(places[p], names[n], qemu, ret, size))
				return true;
	return false;
}

static bool find_file(const char *dir, const char *files, char *ret, size_t size)
{
	while (*files) {
		int n = (int)strcspn(files, " ");

		if (str_fmt(ret, size, "%s/%.*s", dir, n, files) && is_file(ret))
			return true;
		files += n + (int)strspn(files + n, " ");
	}
	return false;
}

bool locate_kind(const struct emulator_kind *k, const struct arch *a, const char *dir, char *ret,
		 size_t size)
{
	if (emulator_kind_is_qemu(k) && a->qemu)
		return dir ? locate_in(dir, a->qemu, ret, size) : locate_usual(a->qemu, ret, size);
	if (dir)
		return find_file(dir, k->files, ret, size);
	for (size_t p = 0; p < ARRAY_SIZE(places); p++)
		if (find_file(places[p], k->files, ret, size))
			return true;
	return false;
}
