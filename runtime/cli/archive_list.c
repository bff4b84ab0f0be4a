/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/archive_list.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

/* The smallest piece of a tar archive. */
#define BLOCK 512

void archive_list_deinit(struct archive_list *l)
{
	free(l->members);
	buf_deinit(&l->names);
	arena_deinit(&l->arena);
	*l = (struct archive_list)ARCHIVE_LIST_INIT;
}

/* --- reading it ------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct archive_member *)a)->name,
		      ((const struct archive_member *)b)->name);
}

/* Of the same name the later one comes later. */
static int by_name_and_place(const void *a, const void *b)
{
	const struct archive_member *x = a, *y = b;
	int order = by_name(x, y);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static const char *without_dots(const char *name)
{
	while (str_after(name, "./"))
		name += 2;
	return name;
}

/* The next two strings of the list. False for what makes no sense. */
static bool parse_member(const char **p, const char *end, struct archive_member *ret,
			 char *ret_kind)
{
	const char *line = *p, *link = line + strlen(line) + 1;
	char *rest;

	if (link >= end)
		return false;
	*p = link + strlen(link) + 1;
	ret->at = strtoll(line, &rest, 10);
	ret->size = strtoll(rest, &rest, 10);
	if (*rest != ' ' || !rest[1] || ret->at < 0 || ret->size < 0)
		return false;
	*ret_kind = rest[1];
	ret->name = without_dots(rest + 2);
	ret->link = *link ? link : NULL;
	return true;
}

/* The target of a symbolic link is relative to where the link is. NULL: out of the archive. */
static const char *resolve(const char *name, const char *target, struct arena *arena)
{
	const char *slash = strrchr(name, '/');
	size_t dir = slash ? (size_t)(slash - name) : 0, size;
	char *path;

	for (; str_after(target, "../") || str_after(target, "./");
	     target += 2 + (target[1] == '.')) {
		if (target[1] == '/')
			continue;
		if (!dir)
			return NULL;
		while (dir && name[dir - 1] != '/')
			dir--;
		dir -= dir > 0;
	}
	size = dir + strlen(target) + 2;
	path = arena_alloc(arena, size);
	if (path)
		(void)str_fmt(path, size, "%.*s%s%s", (int)dir, name, dir ? "/" : "", target);
	return path;
}

static void settle_link(struct archive_member *m, char kind, struct arena *arena)
{
	if (kind == 's' && m->link)
		m->link = *m->link == '/' ? NULL : resolve(m->name, m->link, arena);
	else if (m->link)
		m->link = without_dots(m->link);
	if (kind != 'f' && !m->link)
		m->link = ""; /* to nothing that is here */
}

int archive_list_parse(struct archive_list *l, int64_t archive_size, struct err *err)
{
	const char *p = buf_str(&l->names), *end = p + l->names.len;
	size_t n = 0;

	for (const char *c = p; c < end; c++)
		n += !*c;
	l->members = calloc(n / 2 + 1, sizeof(*l->members));
	if (!l->members)
		return err_set(err, ERR_NOMEM, "no memory for %zu files", n / 2);
	while (p < end) {
		struct archive_member *m = &l->members[l->n++];
		char kind;

		if (!parse_member(&p, end, m, &kind))
			return err_set(err, ERR_INVALID, "the list of files makes no sense");
		settle_link(m, kind, &l->arena);
		if (!m->link && m->size > archive_size - m->at - BLOCK)
			return err_set(err, ERR_INVALID,
				       "it is cut off: %.100s ends after the end of the file",
				       m->name);
	}
	qsort(l->members, l->n, sizeof(*l->members), by_name_and_place);
	return 0;
}

/* --- looking something up -------------------------------------------------------------------- */

/* Links to links are followed so far. */
#define LINKS_MAX 8

/* The last one of this name, as a tar archive is read. */
static const struct archive_member *find(const struct archive_list *l, const char *name)
{
	const struct archive_member key = { .name = name }, *m, *end = l->members + l->n;

	m = l->n ? bsearch(&key, l->members, l->n, sizeof(key), by_name) : NULL;
	while (m && m + 1 < end && str_eq(m[1].name, name))
		m++;
	return m;
}

const struct archive_member *archive_list_find(const struct archive_list *l, const char *name)
{
	const struct archive_member *m = find(l, name);

	for (int i = 0; m && m->link && i < LINKS_MAX; i++)
		m = find(l, m->link);
	return m && m->link ? NULL : m;
}
