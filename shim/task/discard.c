/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/discard.h"

#include "shim/task/host.h"
#include "shim/task/operation.h"

void task_discard(struct task *t)
{
	while (!list_empty(&t->operations))
		operation_cancel(list_first(&t->operations, struct operation, in_task));
	task_host_free(t);
	task_free(t);
}
