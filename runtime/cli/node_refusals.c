/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/node_refusals.h"

#include <stdlib.h>

#include "runtime/base/str.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/node_config.h"
#include "runtime/cli/why_failed.h"

void node_refusals_deinit(struct node_refusals *r)
{
	for (size_t i = 0; r->list && i < r->n; i++)
		why_record_deinit(&r->list[i]);
	free(r->list);
	node_containers_deinit(&r->all);
	guard_drop(&r->guard);
}

static void trouble(struct node_refusals *r, const char *text)
{
	(void)str_fmt(r->trouble, sizeof(r->trouble), "%.280s", text);
}

void node_refusals_prepare(struct node_refusals *r, const char *socket)
{
	const struct guarded guarded = { .socket = socket };
	struct err err = ERR_INIT;

	r->socket = socket;
	if (!socket) {
		trouble(r, "there is no containerd to ask");
		return;
	}
	r->judge.config_path = node_config_find(socket, NULL, r->config, sizeof(r->config));
	if (guard_start(&r->guard, &guarded, &err) < 0) {
		trouble(r, err.text);
		return;
	}
	r->judge.isolated = dry_run_isolate(&err) == 0;
	(void)str_fmt(r->why_not, sizeof(r->why_not), "%.180s", err.text);
	r->judge.why_not = r->why_not;
}

void node_refusals_read(struct node_refusals *r, size_t max)
{
	struct err err = ERR_INIT;

	if (*r->trouble)
		return;
	if (node_containers_read(r->socket, NULL, &r->all, &err) < 0 ||
	    why_failed(&r->all, &r->judge, max, &r->list, &r->n, &err) < 0)
		trouble(r, err.text);
	guard_end(&r->guard);
}
