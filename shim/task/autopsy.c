/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/autopsy.h"

#include <signal.h>

#include "runtime/base/log.h"
#include "shim/task/check.h"
#include "shim/task/exec.h"
#include "shim/task/exit.h"
#include "shim/task/operation.h"
#include "shim/task/service.h"

#define AUTOPSY_BOUND_NS MS_TO_NS(500)

struct autopsy {
	struct check check;
	struct process *process; /* outlives us: it is not deleted before its exit was told */
};

static bool worth_a_look(uint32_t code)
{
	switch (code) {
	case 126: /* shells: found, and could not be executed */
	case 127: /* shells: not found, which is also said of a missing loader */
	case 255: /* qemu: the guest's loader is missing; runc: exec failed */
	case 128 + SIGILL:
	case 128 + SIGSYS:
		return true;
	default:
		return false;
	}
}

static void autopsy_free(void *data)
{
	struct autopsy *a = data;

	check_deinit(&a->check);
	free(a);
}

static void on_done(struct operation *op, uint32_t code)
{
	struct autopsy *a = op->data;
	struct process *p = a->process;
	struct report *r;
	struct err err;

	r = check_report(&a->check, op, code, &err);
	if (!r && err.code != ERR_PRECONDITION)
		log_debug(op->task->id, "no look at the exit: %s", err.text);
	free(r);
	p->autopsy = false;
	operation_succeed(op, NULL);
	process_settle(p);
}

static int start(struct operation *op, struct autopsy *a, struct err *err)
{
	struct buf CLEANUP_BUF json = BUF_INIT(PROCESS_JSON_MAX);
	const struct service *s = op->task->service;
	struct process *p = a->process;
	struct prepare_request r = {
		.id = op->task->id,
		.bundle = op->task->bundle,
		.config_path = s->config_path,
		.config_body = s->config_body,
		.exit_status = p->exit.code,
	};

	if (p->exec_id && exec_read_process(p, &json, err) < 0)
		return -1;
	r.process = p->exec_id ? buf_str(&json) : NULL;
	if (check_after(&a->check, op, &r, on_done, err) < 0)
		return -1;
	timer_arm(&op->deadline, s->loop, AUTOPSY_BOUND_NS);
	return 0;
}

void autopsy_start(struct process *p)
{
	struct autopsy *a;
	struct operation *op;
	struct err err;

	if (!worth_a_look(p->exit.code) || p->deleting)
		return;
	a = calloc(1, sizeof(*a));
	op = a ? operation_new(p->task, NULL, NULL, &err) : NULL;
	if (!op) {
		free(a);
		return;
	}
	check_init(&a->check);
	a->process = p;
	op->data = a;
	op->free_data = autopsy_free;
	p->autopsy = true;
	if (start(op, a, &err) == 0)
		return;
	log_debug(p->task->id, "no look at the exit: %s", err.text);
	p->autopsy = false;
	operation_succeed(op, NULL);
}
