/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/metrics_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

bool reader_enter(struct reader *r, enum cgroup_part part)
{
	fd_close(&r->dir);
	r->dir = cgroup_dir_open(r->cg, part);
	r->found |= r->dir >= 0;
	return r->dir >= 0;
}

char *reader_file(struct reader *r, const char *name)
{
	struct err ignored;

	r->text.len = 0;
	if (file_read(r->dir, name, &r->text, &ignored) < 0 || !r->text.len)
		return NULL;
	return (char *)r->text.data;
}

bool reader_number(struct reader *r, unsigned int field, const char *name)
{
	char *text = reader_file(r, name);
	uint64_t value;

	if (!text)
		return false;
	text[strcspn(text, "\n")] = '\0';
	if (!text_value(text, &value))
		return false;
	pb_uint(&r->w, field, value);
	return true;
}

/* Cuts SIZE out of "hugetlb.SIZE.suffix"; no for hugetlb.SIZE.rsvd.suffix, which counts otherwise.
 */
static bool page_size(char *name, const char *suffix, char **ret_size)
{
	char *rest;

	if (!str_after(name, "hugetlb."))
		return false;
	*ret_size = rest = name + strlen("hugetlb.");
	strsep(&rest, ".");
	return rest && str_eq(rest, suffix);
}

void reader_huge_pages(struct reader *r, const char *suffix,
		       void (*each)(struct reader *r, const char *size))
{
	int copy = openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	char *size;

	if (!dir) {
		fd_close(&copy);
		return;
	}
	while ((e = readdir(dir)))
		if (page_size(e->d_name, suffix, &size))
			each(r, size);
	closedir(dir);
}
