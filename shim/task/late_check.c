/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/late_check.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "shim/task/exec_files.h"
#include "shim/task/operation.h"
#include "shim/task/outcome.h"
#include "shim/task/platform_check.h"

#define AUTOPSY_BOUND_NS MS_TO_NS(500)

struct late_check {
	struct platform_check check;
	struct process *process; /* outlives us: it is not deleted before its exit was told */
	void (*done)(struct process *);
};

/* What runtime/prepare/after.c knows causes of. */
static bool worth_a_look(const struct process *p)
{
	switch (p->exit.code) {
	case 1: /* gosu, catatonit, bash -e: could not execute it; probes say it all day long */
		return !p->exec_id;
	case 128 + SIGTRAP: /* no memory where pages are larger than a program can do with */
	case 128 + SIGABRT:
		return sysconf(_SC_PAGESIZE) > 4096;
	case 2:	  /* dash and busybox: read the program as a script, in vain */
	case 111: /* s6 and runit: could not execute it */
	case 126: /* other shells: found, and could not be executed */
	case 127: /* shells: not found, which is also said of a missing loader */
	case 255: /* qemu: the guest's loader is missing; runc: exec failed */
	case 128 + SIGILL:
	case 128 + SIGSEGV: /* programs of other systems, natively */
	case 128 + SIGSYS:
		return true;
	default:
		return false;
	}
}

static void late_check_free(void *data)
{
	struct late_check *a = data;

	platform_check_deinit(&a->check);
	free(a);
}

/* Only an empty file: what the container wrote itself is worth more than our guess. */
static int write_termination(int fd, const char *line, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "look at it");
	if (st.st_size)
		return 0;
	return fd_write_all(fd, line, strlen(line)) < 0 ? err_sys(err, ERR_IO, "write") : 0;
}

/* An exec's end is not the container's last word. */
static void tell(const struct process *p, const struct report *r)
{
	const struct task *t = p->task;
	struct err err;

	outcome_crashed(p, r);
	if (!p->exec_id && t->termination >= 0 &&
	    write_termination(t->termination, r->line, &err) < 0)
		log_write(LOG_WARNING, process_subject(p), LOG_FIELDS(.error = err.text),
			  "termination message");
}

static void on_done(struct operation *op)
{
	struct late_check *a = op->data;
	struct process *p = a->process;
	void (*done)(struct process *) = a->done;
	struct report *r;
	struct err err;

	r = platform_check_read(&a->check, op, &err);
	if (!r)
		log_write(LOG_DEBUG, operation_subject(op), LOG_FIELDS(.error = err.text),
			  "no look at the exit");
	else if (r->verdict == VERDICT_REFUSE)
		tell(p, r);
	free(r);
	p->late_check = false;
	operation_succeed(op, NULL);
	done(p);
}

static int start_prepare(struct operation *op, struct late_check *a, struct err *err)
{
	struct buf CLEANUP_BUF json = BUF_INIT(PROCESS_JSON_MAX);
	const struct context *context = op->task->context;
	struct process *p = a->process;
	struct prepare_request r = {
		.bundle = op->task->bundle,
		.exit_status = p->exit.code,
	};

	if (p->exec_id && exec_read_process(p, &json, err) < 0)
		return -1;
	r.process = p->exec_id ? buf_str(&json) : NULL;
	if (platform_check_after(&a->check, op, &r, on_done, err) < 0)
		return -1;
	timer_arm(&op->deadline, context->loop, AUTOPSY_BOUND_NS);
	return 0;
}

void late_check_start(struct process *p, void (*done)(struct process *))
{
	struct late_check *a;
	struct operation *op;
	struct err err;

	if (!worth_a_look(p) || p->deleting || p->refused)
		return;
	a = calloc(1, sizeof(*a));
	op = a ? operation_new(p->task, NULL, NULL, &err) : NULL;
	if (!op) {
		free(a);
		return;
	}
	platform_check_init(&a->check);
	a->process = p;
	a->done = done;
	op->data = a;
	op->free_data = late_check_free;
	p->late_check = true;
	if (start_prepare(op, a, &err) == 0)
		return;
	log_write(LOG_DEBUG, process_subject(p), LOG_FIELDS(.error = err.text),
		  "no look at the exit");
	p->late_check = false;
	operation_succeed(op, NULL);
}
