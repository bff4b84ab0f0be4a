/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/tasks.h"

#include "runtime/base/str.h"

void tasks_init(struct tasks *ts, const struct context *context,
		void (*on_deserted)(struct tasks *))
{
	*ts = (struct tasks){ .context = context, .on_deserted = on_deserted };
	list_init(&ts->list);
}

unsigned int tasks_count(const struct tasks *ts)
{
	unsigned int n = 0;

	list_for_each(node, &ts->list)
		n++;
	return n;
}

int tasks_check_new(const struct tasks *ts, const char *id, struct err *err)
{
	list_for_each(node, &ts->list)
		if (str_eq(list_entry(node, struct task, in_tasks)->id, id))
			return err_set(err, ERR_EXISTS, "container %s already exists", id);
	if (tasks_count(ts) >= TASKS_MAX)
		return err_set(err, ERR_LIMIT, "this shim already holds %d containers", TASKS_MAX);
	if (ts->closed)
		return err_set(err, ERR_PRECONDITION, "this shim is shutting down");
	return 0;
}

void tasks_add(struct tasks *ts, struct task *t)
{
	list_add_first(&ts->list, &t->in_tasks);
}

int tasks_find(const struct tasks *ts, const char *id, struct task **ret, struct err *err)
{
	list_for_each(node, &ts->list) {
		struct task *t = list_entry(node, struct task, in_tasks);

		if (str_eq(t->id, id) && t->init.state != PROCESS_CREATING) {
			*ret = t;
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "container not created");
}

int tasks_find_process(const struct tasks *ts, const char *id, const char *exec_id,
		       struct process **ret, struct err *err)
{
	struct task *t;

	if (tasks_find(ts, id, &t, err) < 0)
		return -1;
	if (!*exec_id) {
		*ret = &t->init;
		return 0;
	}
	list_for_each(node, &t->execs) {
		struct process *p = list_entry(node, struct process, in_task);

		if (str_eq(p->exec_id, exec_id)) {
			*ret = p;
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "process does not exist %.80s", exec_id);
}
