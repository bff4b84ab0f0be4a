/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/why_failed.h"

#include <stdlib.h>

#include "runtime/cli/why_find.h"

static int newest_first(const void *a, const void *b)
{
	const struct why_record *x = a, *y = b;

	return (x->when < y->when) - (x->when > y->when);
}

/* All that failed, as they ended. */
static size_t read_failed(struct node_containers *all, struct why_record *list)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		why_record_read(&all->list[i], &all->arena, &list[n]);
		if (why_record_failed(&list[n]))
			n++;
		else
			why_record_deinit(&list[n]);
	}
	return n;
}

/* The record of the first @n that is of the same container, NULL without one. */
static struct why_record *same_container(struct why_record *list, size_t n,
					 const struct why_record *w)
{
	for (size_t i = 0; i < n; i++)
		if (why_same_container(list[i].c, w->c))
			return &list[i];
	return NULL;
}

/*
 * A verdict takes longer than all that is read, so only what may be wanted is judged. The newest
 * attempt of a container speaks for its others.
 */
static size_t keep_ours(const struct container_judge *j, struct why_record *list, size_t n,
			size_t max)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct why_record w = list[i], *newer = NULL;
		bool ours = false;

		if (kept < max) {
			why_record_judge(j, &w);
			ours = why_record_is_ours(&w);
			newer = ours ? same_container(list, kept, &w) : NULL;
		}
		if (ours && !newer) {
			list[kept++] = w;
			continue;
		}
		if (newer)
			newer->attempts++;
		why_record_deinit(&w);
	}
	return kept;
}

int why_failed(struct node_containers *all, const struct container_judge *j, size_t max,
	       struct why_record **ret, size_t *ret_n, struct err *err)
{
	struct why_record *list = calloc(all->n + 1, sizeof(*list));
	size_t n;

	if (!list)
		return err_set(err, ERR_NOMEM, "no memory for %zu containers", all->n);
	n = read_failed(all, list);
	qsort(list, n, sizeof(*list), newest_first);
	*ret_n = keep_ours(j, list, n, max);
	*ret = list;
	return 0;
}
