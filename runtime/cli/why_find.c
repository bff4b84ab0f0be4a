/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/why_find.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/containerd/image_reference.h"

/* --- what a word can mean -------------------------------------------------------------------- */

static bool is_pod(const struct node_container *c, const char *word)
{
	const char *name = *c->pod_namespace ? str_after(word, c->pod_namespace) : NULL;

	return *c->pod &&
	       (str_eq(word, c->pod) || (name && *name == '/' && str_eq(name + 1, c->pod)));
}

static bool is_pod_id(const struct node_container *c, const char *word)
{
	return *c->pod && str_after(c->pod_id, word);
}

static bool is_container(const struct node_container *c, const char *word)
{
	return !c->sandbox && str_after(c->entry.id, word);
}

static bool is_named(const struct node_container *c, const char *word)
{
	return *c->name && str_eq(c->name, word);
}

static bool is_image_name(const char *image, const char *word)
{
	char a[REFERENCE_MAX], b[REFERENCE_MAX];
	struct image_reference x, y;
	struct err ignored;

	if (!*image)
		return false;
	if (str_eq(image, word))
		return true;
	if (image_reference_parse(image, &x, &ignored) < 0 ||
	    image_reference_parse(word, &y, &ignored) < 0)
		return false;
	image_reference_format(&x, a);
	image_reference_format(&y, b);
	return str_eq(a, b);
}

static bool is_of_image(const struct node_container *c, const char *word)
{
	return !c->sandbox &&
	       (is_image_name(c->entry.image, word) || is_image_name(c->asked_image, word));
}

/* --- what it means --------------------------------------------------------------------------- */

static bool same_pod(const struct node_container *a, const struct node_container *b)
{
	return str_eq(a->pod_namespace, b->pod_namespace) && str_eq(a->pod, b->pod);
}

static void collect(const struct node_containers *all, const char *word,
		    bool (*fits)(const struct node_container *, const char *),
		    struct why_found *ret)
{
	for (size_t i = 0; i < all->n; i++)
		if (fits(&all->list[i], word))
			ret->list[ret->n++] = (struct why_one){ &all->list[i], 1 };
}

/* Of one id exactly there is nothing else that begins like it to be asked about. */
static void settle_id(const char *word, struct why_found *ret)
{
	for (size_t i = 0; i < ret->n; i++)
		if (str_eq(ret->list[i].c->entry.id, word)) {
			ret->list[0] = ret->list[i];
			ret->n = 1;
		}
	ret->ambiguous = ret->n > 1;
}

static void settle_pods(struct why_found *ret)
{
	for (size_t i = 1; i < ret->n; i++)
		ret->ambiguous |= !same_pod(ret->list[0].c, ret->list[i].c);
}

static int by_age(const void *a, const void *b)
{
	const struct container_entry *x = &((const struct why_one *)a)->c->entry;
	const struct container_entry *y = &((const struct why_one *)b)->c->entry;

	if (x->created != y->created)
		return x->created < y->created ? -1 : 1;
	return (x->created_ns > y->created_ns) - (x->created_ns < y->created_ns);
}

bool why_same_container(const struct node_container *a, const struct node_container *b)
{
	return *a->pod && same_pod(a, b) && a->sandbox == b->sandbox && str_eq(a->name, b->name);
}

/* Only the newest attempt of each. */
static void settle_attempts(struct why_found *ret)
{
	size_t n = 0;

	if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), by_age);
	for (size_t i = 0; i < ret->n; i++) {
		bool newest = true;

		for (size_t j = i + 1; j < ret->n && newest; j++)
			if (why_same_container(ret->list[i].c, ret->list[j].c)) {
				ret->list[j].attempts += ret->list[i].attempts;
				newest = false;
			}
		if (newest)
			ret->list[n++] = ret->list[i];
	}
	ret->n = n;
}

int why_find(struct node_containers *all, const char *word, struct why_found *ret, struct err *err)
{
	static const struct {
		enum why_kind kind;
		bool (*fits)(const struct node_container *, const char *);
	} ways[] = {
		{ WHY_POD, is_pod },	    { WHY_NAMED, is_named },
		{ WHY_POD_ID, is_pod_id },  { WHY_CONTAINER, is_container },
		{ WHY_IMAGE, is_of_image },
	};

	*ret = (struct why_found){ .kind = WHY_NOTHING };
	ret->list = arena_alloc(&all->arena, (all->n + 1) * sizeof(*ret->list));
	if (!ret->list)
		return err_set(err, ERR_NOMEM, "no memory for %zu containers", all->n);
	for (size_t i = 0; i < ARRAY_SIZE(ways) && !ret->n && *word; i++) {
		collect(all, word, ways[i].fits, ret);
		ret->kind = ret->n ? ways[i].kind : WHY_NOTHING;
	}
	if (ret->kind == WHY_CONTAINER)
		settle_id(word, ret);
	else if (ret->kind != WHY_IMAGE)
		settle_pods(ret);
	if (ret->kind != WHY_CONTAINER)
		settle_attempts(ret);
	return 0;
}
