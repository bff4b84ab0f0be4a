/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/name_set.h"

#include <stdlib.h>
#include <string.h>

int name_set_add(struct name_set *s, const char *name, struct err *err)
{
	size_t cap = s->cap ? 2 * s->cap : 256;
	const char **names;

	if (s->n == s->cap) {
		names = arena_alloc(s->arena, cap * sizeof(*names));
		if (!names)
			return err_set(err, ERR_NOMEM, "no memory for %zu names", cap);
		if (s->n)
			memcpy(names, s->names, s->n * sizeof(*names));
		s->names = names;
		s->cap = cap;
	}
	s->names[s->n++] = name;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void name_set_sort(struct name_set *s)
{
	if (s->n)
		qsort(s->names, s->n, sizeof(*s->names), by_name);
}

bool name_set_has(const struct name_set *s, const char *name)
{
	return s->n && bsearch(&name, s->names, s->n, sizeof(*s->names), by_name);
}
