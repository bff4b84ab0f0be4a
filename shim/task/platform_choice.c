/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/outcome.h"
#include "shim/task/platform_choice.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/base/text_search.h"

/* What a wish looks like in config.json, in a settings file and in an options table. */
#define ANNOTATION "\"io.crossarch.platform\""
#define KEY "platform"
/* CRI's mark of a pod's own container, as Go writes it; inside a string the quotes had backslashes.
 */
#define SANDBOX "\"io.kubernetes.cri.container-type\":\"sandbox\""
#define DEFAULT_SETTINGS CROSSARCH_SYSCONFDIR "/crossarch/config.json"

/*
 * The call has to be answered before its client gives up, or what it is told is "deadline
 * exceeded". Without a deadline: as if the kubelet's usual two minutes were it.
 */
#define ANSWER_BEFORE_NS S_TO_NS(10)
#define USUAL_DEADLINE_NS S_TO_NS(120)

void platform_choice_init(struct platform_choice *c)
{
	*c = (struct platform_choice){ .declared = false };
	prepare_run_init(&c->run);
}

void platform_choice_stop(struct platform_choice *c)
{
	prepare_run_stop(&c->run);
}

void platform_choice_deinit(struct platform_choice *c)
{
	prepare_run_deinit(&c->run);
}

bool platform_choice_mentioned(const struct operation *op, const struct prepare_request *r)
{
	const struct context *context = op->task->context;
	const char *settings =
		r->config_path && *r->config_path ? r->config_path : DEFAULT_SETTINGS;
	char config[PATH_MAX];

	if (!*context->cli_path || !*context->grpc_address ||
	    !str_fmt(config, sizeof(config), "%s/config.json", op->task->bundle))
		return false;
	return (file_mentions(config, ANNOTATION) || file_mentions(settings, "\"" KEY "\"") ||
		(r->config_body && strstr(r->config_body, KEY))) &&
	       !file_mentions(config, SANDBOX);
}

static void on_record(struct prepare_run *q)
{
	struct platform_choice *c = container_of(q, struct platform_choice, run);

	c->done(q->run.op);
}

/* How long a pull may be waited for, in milliseconds. */
static uint64_t patience(const struct operation *op)
{
	uint64_t now = now_ns(), deadline = op->call->deadline_ns, left = 0;

	if (!deadline)
		deadline = now + USUAL_DEADLINE_NS;
	if (deadline > now)
		left = deadline - now;
	return (left > 2 * ANSWER_BEFORE_NS ? left - ANSWER_BEFORE_NS : left / 2) / 1000000;
}

int platform_choice_start(struct platform_choice *c, struct operation *op, int request,
			  void (*done)(struct operation *), struct err *err)
{
	const struct context *context = op->task->context;
	char wait[32];
	const char *const argv[] = { context->cli_path, "choose-platform",
				     "--address",	context->grpc_address,
				     "--namespace",	context->ns,
				     "--wait",		wait,
				     op->task->id,	NULL };

	(void)str_fmt(wait, sizeof(wait), "%llu", (unsigned long long)patience(op));
	c->done = done;
	return prepare_run_cli(&c->run, op, argv, request, on_record, err);
}

static int refuse(struct platform_choice *c, struct operation *op, const struct report *r,
		  struct err *err)
{
	bool pulling = r->flags & REPORT_PULLING;

	if (pulling)
		run_forget(&c->run.run);
	outcome_refused(op, r->line, r);
	return err_set(err, pulling ? ERR_UNAVAILABLE : ERR_PRECONDITION, "%s", r->line);
}

int platform_choice_take(struct platform_choice *c, struct operation *op, struct err *err)
{
	CLEANUP_FREE struct report *r = malloc(sizeof(*r));
	int rc = r ? prepare_run_take(&c->run, r, err)
		   : err_set(err, ERR_NOMEM, "no memory for the report");

	prepare_run_stop(&c->run);
	c->run.run.answered = true;
	if (op->timed_out)
		return err_set(err, ERR_TIMEOUT,
			       "the choice of the image's platform did not finish before the "
			       "deadline");
	if (rc < 0)
		return -1;
	if (r->verdict == VERDICT_REFUSE)
		return refuse(c, op, r, err);
	if (r->verdict == VERDICT_NONE) {
		*err = r->err;
		return -1;
	}
	outcome_warnings(op, r);
	c->declared = r->flags & REPORT_DECLARED;
	return 0;
}
