/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/why_image.h"

#include <stdio.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/explain.h"
#include "runtime/cli/image_display.h"
#include "runtime/cli/output.h"
#include "runtime/containerd/image_choice.h"

#define KUBELETS "k8s.io"
#define ANSWER_MS 30000

static bool has_image(struct node_space *space, const char *name)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	struct image_store *store = &space->containerd.store;
	struct image_descriptor d;
	struct err ignored;

	rpc_allow(space->rpc, ANSWER_MS);
	return store->image(store, name, &arena, &d, &ignored) == 0;
}

const char *why_image_space(const struct node_containers *all, const char *name)
{
	char full[REFERENCE_MAX];
	struct image_reference r;
	struct err ignored;
	const char *found = NULL;

	if (image_reference_parse(name, &r, &ignored) == 0)
		image_reference_format(&r, full);
	else
		(void)str_copy(full, sizeof(full), name);
	for (size_t i = 0; i < all->n_spaces; i++) {
		struct node_space *space = &all->spaces[i];

		if (!has_image(space, name) && !has_image(space, full))
			continue;
		if (str_eq(space->name, KUBELETS))
			return KUBELETS;
		found = found ? found : space->name;
	}
	return found ? found : KUBELETS;
}

/* The message that CRI's pull of such an index fails with. */
static const struct explanation *no_match(void)
{
	const struct explained_message *m;
	size_t n;

	m = explained_messages(&n);
	for (size_t i = 0; i < n; i++)
		if (str_eq(m[i].explanation.code, EXPLAIN_NO_MATCH))
			return &m[i].explanation;
	return NULL;
}

static void print_no_match(const struct image_answer *a)
{
	const struct explanation *e = no_match();
	const char *rest = e ? e->remedies : "", *line;
	char all[500];
	size_t n;

	image_choice_text(&a->members, all, sizeof(all));
	printf("%sA pull fails here%s with \"no match for platform in manifest\", before any "
	       "runtime "
	       "is asked: it is an index of %s, and nothing of that is for this node.\n"
	       "Ways out:\n",
	       tone_on(TONE_BAD), tone_off(), all);
	while (str_line(&rest, &line, &n))
		printf("  - %.*s\n", (int)n, line);
}

void why_image_print(const struct image_answer *a, const char *space)
{
	if (!str_eq(space, KUBELETS))
		printf("In the namespace %s:\n", space);
	if (a->choice >= 0) {
		image_answer_print(a);
		return;
	}
	image_answer_print_platforms(a);
	print_no_match(a);
}

json *why_image_json(const struct image_answer *a, const char *space)
{
	json *o = image_answer_json(a), *list = json_object_new_array();
	const struct explanation *e = a->choice < 0 ? no_match() : NULL;
	const char *rest = e ? e->remedies : "", *line;
	size_t n;

	json_put_text(o, "namespace", space);
	json_put_text(o, "code", e ? e->code : NULL);
	while (str_line(&rest, &line, &n))
		json_object_array_add(list, json_object_new_string_len(line, (int)n));
	json_object_object_add(o, "remedies", list);
	return o;
}
