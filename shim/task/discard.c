/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/discard.h"

#include "shim/task/operation.h"
#include "shim/task/task_cgroup.h"

void task_discard(struct task *t)
{
	while (!list_empty(&t->operations))
		operation_cancel(list_first(&t->operations, struct operation, in_task));
	task_cgroup_close(t);
	task_free(t);
}
