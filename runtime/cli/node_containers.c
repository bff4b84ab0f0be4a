/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/node_containers.h"

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/output.h"
#include "runtime/containerd/namespaces.h"
#include "runtime/oci/json.h"
#include "runtime/plan/line_text.h"

#define ANSWER_MS 30000
#define COMMAND_SHOWN 240

/* What the CRI writes into each specification (containerd's internal/cri/annotations). */
#define CRI_SAYS "io.kubernetes.cri."

void node_containers_deinit(struct node_containers *all)
{
	arena_deinit(&all->arena);
	*all = (struct node_containers)NODE_CONTAINERS_INIT;
}

/* --- one container --------------------------------------------------------------------------- */

static const char *keep(struct arena *arena, const char *text)
{
	const char *copy = *text ? arena_strdup(arena, text) : "";

	return copy ? copy : "";
}

static const char *annotation(json *document, const char *key, struct arena *arena)
{
	const char *value;
	struct err ignored;

	if (json_text(json_member(document, "annotations"), key, "", &value, &ignored) < 0)
		return "";
	return keep(arena, value);
}

static const char *command_of(json *document, struct arena *arena)
{
	json *args = json_member(json_member(document, "process"), "args");
	char line[COMMAND_SHOWN + 8];
	struct text t;

	text_init(&t, line, sizeof(line));
	for (size_t i = 0; json_object_is_type(args, json_type_array) &&
			   i < json_object_array_length(args) && t.n + 2 < COMMAND_SHOWN;
	     i++) {
		if (i)
			text_add(&t, " ");
		text_name(&t, json_object_get_string(json_object_array_get_idx(args, i)),
			  COMMAND_SHOWN - t.n);
	}
	return keep(arena, line);
}

/* One whose specification cannot be read is one that nobody says anything about. */
static void read_spec(struct node_container *c, struct arena *arena)
{
	CLEANUP_JSON json *document = NULL;
	struct err ignored;

	c->pod_namespace = c->pod = c->pod_id = c->asked_image = c->command = "";
	c->name = c->entry.name;
	if (!c->entry.spec || json_parse(c->entry.spec, strlen(c->entry.spec), "specification",
					 &document, &ignored) < 0)
		return;
	c->pod_namespace = annotation(document, CRI_SAYS "sandbox-namespace", arena);
	c->pod = annotation(document, CRI_SAYS "sandbox-name", arena);
	c->pod_id = annotation(document, CRI_SAYS "sandbox-id", arena);
	if (*c->pod)
		c->name = annotation(document, CRI_SAYS "container-name", arena);
	c->asked_image = annotation(document, CRI_SAYS "image-name", arena);
	c->sandbox = str_eq(annotation(document, CRI_SAYS "container-type", arena), "sandbox");
	c->command = command_of(document, arena);
}

static const struct task_entry *task_of(const struct task_entry *tasks, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(tasks[i].id, id))
			return &tasks[i];
	return NULL;
}

/* --- one namespace --------------------------------------------------------------------------- */

static int grow(struct node_containers *all, size_t n, struct err *err)
{
	struct node_container *list = arena_alloc(&all->arena, (all->n + n + 1) * sizeof(*list));

	if (!list)
		return err_set(err, ERR_NOMEM, "no memory for %zu containers", all->n + n);
	if (all->n)
		memcpy(list, all->list, all->n * sizeof(*list));
	all->list = list;
	return 0;
}

static int read_space(struct node_containers *all, struct node_space *space, struct err *err)
{
	struct container_entry *entries;
	struct task_entry *tasks;
	size_t n, n_tasks;
	struct err bad = ERR_INIT;

	rpc_allow(space->rpc, ANSWER_MS);
	if (container_list(space->rpc, &all->arena, &entries, &n, err) < 0 || grow(all, n, err) < 0)
		return -1;
	if (!n)
		return 0;
	if (task_list(space->rpc, &all->arena, &tasks, &n_tasks, &bad) < 0) {
		(void)shown(space->tasks_unknown, sizeof(space->tasks_unknown), bad.text);
		n_tasks = 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct node_container *c = &all->list[all->n++];

		*c = (struct node_container){ .space = space, .entry = entries[i] };
		c->task = task_of(tasks, n_tasks, entries[i].id);
		read_spec(c, &all->arena);
	}
	return 0;
}

static int open_space(struct node_containers *all, const char *socket, const char *name,
		      struct err *err)
{
	const struct rpc_target target = { .socket = socket,
					   .namespace = name,
					   .timeout_ms = ANSWER_MS };
	struct node_space *space = &all->spaces[all->n_spaces];

	if (rpc_open(&target, &space->rpc, err) < 0)
		return -1;
	space->name = name;
	containerd_store_init(&space->containerd, space->rpc);
	all->n_spaces++;
	return read_space(all, space, err);
}

/* --- all of them ----------------------------------------------------------------------------- */

static int list_spaces(const char *socket, struct arena *arena, const char *const **ret,
		       struct err *err)
{
	const struct rpc_target target = { .socket = socket, .timeout_ms = ANSWER_MS };
	struct rpc *rpc;

	return rpc_open(&target, &rpc, err) < 0 ? -1 : namespaces_list(rpc, arena, ret, err);
}

int node_containers_read(const char *socket, const char *namespace, struct node_containers *ret,
			 struct err *err)
{
	const char *const one[] = { namespace, NULL }, *const *names = one;
	size_t n = 0;

	if (!namespace && list_spaces(socket, &ret->arena, &names, err) < 0)
		return -1;
	while (names[n])
		n++;
	ret->spaces = arena_alloc(&ret->arena, (n + 1) * sizeof(*ret->spaces));
	if (!ret->spaces)
		return err_set(err, ERR_NOMEM, "no memory for %zu namespaces", n);
	for (size_t i = 0; i < n; i++)
		if (open_space(ret, socket, names[i], err) < 0)
			return err_in(err, "namespace %.80s", names[i]);
	return 0;
}
