/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/scan_names.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

static int by_digest(const void *a, const void *b)
{
	const struct image_named *x = a, *y = b;
	int order = strcmp(x->target.digest, y->target.digest);

	return order ? order : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(scan_image_name(a), scan_image_name(b));
}

static int grow(struct scan *s, size_t n, struct err *err)
{
	struct scan_image *images = realloc(s->images, (s->n_images + n + 1) * sizeof(*images));

	if (!images)
		return err_set(err, ERR_NOMEM, "no memory for %zu images", s->n_images + n);
	s->images = images;
	return 0;
}

/* Names of one digest stand side by side. */
static int group(struct scan *s, const char *space, const struct image_named *list, size_t n,
		 struct err *err)
{
	for (size_t i = 0; i < n;) {
		struct scan_image *image = &s->images[s->n_images];
		size_t same = 1;

		while (i + same < n && str_eq(list[i].target.digest, list[i + same].target.digest))
			same++;
		*image = (struct scan_image){ .space = space,
					      .digest = list[i].target.digest,
					      .media_type = list[i].target.media_type,
					      .choice = -1 };
		image->names = arena_alloc(&s->arena, (same + 1) * sizeof(*image->names));
		if (!image->names)
			return err_set(err, ERR_NOMEM, "no memory for names");
		for (size_t j = 0; j < same; j++)
			image->names[j] = list[i + j].name;
		s->n_images++;
		i += same;
	}
	return 0;
}

int scan_add_names(struct scan *s, const char *space, struct image_named *list, size_t n,
		   struct err *err)
{
	size_t first = s->n_images;

	if (grow(s, n, err) < 0)
		return -1;
	if (n)
		qsort(list, n, sizeof(*list), by_digest);
	if (group(s, space, list, n, err) < 0)
		return -1;
	if (n)
		qsort(&s->images[first], s->n_images - first, sizeof(*s->images), by_name);
	return 0;
}
