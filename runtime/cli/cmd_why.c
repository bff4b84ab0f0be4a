/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/check_guard.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/distribution.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/host_root.h"
#include "runtime/cli/image_display.h"
#include "runtime/cli/node_config.h"
#include "runtime/cli/output.h"
#include "runtime/cli/why_display.h"
#include "runtime/cli/why_failed.h"
#include "runtime/cli/why_find.h"
#include "runtime/cli/why_image.h"
#include "runtime/cli/why_record.h"

struct options {
	struct image_check image;
	const char *distribution; /* NULL: found out */
	const char *namespace;	  /* NULL: all of them */
	bool json;
	char config_path[256]; /* as containerd's configuration has it */
};

/* One call of the command. */
struct question {
	const struct cli_command *self;
	const struct options *o;
	char lease[IMAGE_LEASE_MAX];
	struct container_judge judge;
	char why_not[200];
	struct node_containers all;
	struct why_record *records; /* those to be shown */
	size_t n;
	bool left; /* something may be left in containerd, for the guard */
};

#define CLEANUP_QUESTION CLEANUP(question_deinit)
static void question_deinit(struct question *q)
{
	for (size_t i = 0; q->records && i < q->n; i++)
		why_record_deinit(&q->records[i]);
	free(q->records);
	node_containers_deinit(&q->all);
}

/* --- showing --------------------------------------------------------------------------------- */

static json *records_json(const struct question *q)
{
	json *list = json_object_new_array();

	for (size_t i = 0; i < q->n; i++)
		json_object_array_add(list, why_json(&q->records[i]));
	return list;
}

static void show_records(const struct question *q)
{
	if (q->o->json) {
		json *o = json_object_new_object();

		json_object_object_add(o, "containers", records_json(q));
		json_show(o);
		return;
	}
	for (size_t i = 0; i < q->n; i++) {
		if (i)
			putchar('\n');
		why_print(&q->records[i]);
	}
}

static int status_of(const struct question *q)
{
	for (size_t i = 0; i < q->n; i++)
		if (why_record_is_ours(&q->records[i]))
			return CLI_FAILED;
	return CLI_DONE;
}

/* --- of which containers --------------------------------------------------------------------- */

static int make_room(struct question *q)
{
	q->records = calloc(q->all.n + 1, sizeof(*q->records));
	return q->records ? 0 : cli_fail(q->self, "no memory for %zu containers", q->all.n);
}

static int why_all(struct question *q)
{
	struct err err = ERR_INIT;

	if (why_failed(&q->all, &q->judge, q->all.n, &q->records, &q->n, &err) < 0)
		return cli_fail(q->self, "%s", err.text);
	if (!q->n && !q->o->json)
		printf("No container that containerd still knows ended of anything that crossarch "
		       "would have told (%zu are there).\n",
		       q->all.n);
	else
		show_records(q);
	return status_of(q);
}

/* The sandbox itself counts only where there is nothing else of the pod. */
static bool only_sandboxes(const struct why_found *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (!f->list[i].c->sandbox)
			return false;
	return true;
}

static int why_found(struct question *q, const struct why_found *f)
{
	bool alone = only_sandboxes(f);

	if (make_room(q))
		return CLI_FAILED;
	for (size_t i = 0; i < f->n; i++) {
		struct why_record *w = &q->records[q->n];

		if (f->list[i].c->sandbox && !alone)
			continue;
		why_record_read(f->list[i].c, &q->all.arena, w);
		w->attempts = f->list[i].attempts;
		why_record_judge(&q->judge, w);
		q->n++;
	}
	show_records(q);
	if (alone && !q->o->json)
		printf("\nThe pod has no other container yet. Where its images cannot be pulled, "
		       "\"crossarch why IMAGE\" says why.\n");
	return status_of(q);
}

static int refuse_ambiguous(const struct question *q, const char *word, const struct why_found *f)
{
	(void)cli_fail(q->self,
		       "\"%s\" fits several; name one of them, a pod as NAMESPACE/NAME:", word);
	for (size_t i = 0; i < f->n; i++)
		why_print_name(stderr, f->list[i].c, 2);
	return CLI_USAGE;
}

/* --- of an image ----------------------------------------------------------------------------- */

static int why_image(struct question *q, const char *name)
{
	CLEANUP_IMAGE_ANSWER struct image_answer a = { .name = name };
	struct image_check where = q->o->image;
	struct err err = ERR_INIT;

	where.config_path = q->judge.config_path;
	where.prepare = q->judge.prepare;
	where.namespace = q->o->namespace ? q->o->namespace : why_image_space(&q->all, name);
	if (image_look(&where, q->lease, name, &a, &err) < 0) {
		q->left = a.looked;
		if (a.looked || err.code != ERR_NOT_FOUND)
			return cli_fail(q->self, "%s", err.text);
		return cli_fail(
			q->self,
			"no pod, container or image \"%s\" is known to containerd. One whose pull "
			"failed may not be: containerd 1.x forgets it; \"crossarch resolve "
			"--platform P IMAGE\" asks the registry",
			name);
	}
	if (q->o->json)
		json_show(why_image_json(&a, where.namespace));
	else
		why_image_print(&a, where.namespace);
	return image_answer_status(&a);
}

/* --- the command ----------------------------------------------------------------------------- */

static int answer(struct question *q, const char *word)
{
	struct err err = ERR_INIT;
	struct why_found found;

	if (node_containers_read(q->o->image.socket, q->o->namespace, &q->all, &err) < 0)
		return cli_fail(q->self,
				"%s. Is containerd running, is --address its socket, and are you "
				"root?",
				err.text);
	if (!word)
		return why_all(q);
	if (why_find(&q->all, word, &found, &err) < 0)
		return cli_fail(q->self, "%s", err.text);
	if (found.ambiguous)
		return refuse_ambiguous(q, word, &found);
	if (found.kind == WHY_NOTHING || found.kind == WHY_IMAGE)
		return why_image(q, word);
	return why_found(q, &found);
}

/* What starts programs or forks comes before the first call to containerd. */
static int prepare_question(struct question *q, struct host_root *host, struct options *o,
			    struct guard *guard, struct err *err)
{
	struct guarded guarded = { NULL, o->namespace, q->lease };
	struct err none = ERR_INIT;

	if (host_root_enter(o->distribution, &o->image.socket, host, err) < 0)
		return -1;
	guarded.socket = o->image.socket;
	q->judge.prepare = host_root_prepare(host);
	q->judge.config_path = o->image.config_path;
	if (!q->judge.config_path)
		q->judge.config_path = node_config_find(o->image.socket, NULL, o->config_path,
							sizeof(o->config_path));
	image_judge_lease("why", q->lease);
	if (guard_start(guard, &guarded, err) < 0)
		return -1;
	q->judge.isolated = dry_run_isolate(&none) == 0;
	(void)str_fmt(q->why_not, sizeof(q->why_not), "%.180s", none.text);
	q->judge.why_not = q->why_not;
	return 0;
}

static int ask(const struct cli_command *self, struct options *o, const char *word)
{
	CLEANUP_GUARD struct guard guard = GUARD_INIT;
	CLEANUP_HOST_ROOT struct host_root host = HOST_ROOT_INIT;
	CLEANUP_QUESTION struct question q = { .self = self, .o = o, .all = NODE_CONTAINERS_INIT };
	struct err err = ERR_INIT;
	int status;

	if (prepare_question(&q, &host, o, &guard, &err) < 0)
		return cli_fail(self, "%s", err.text);
	status = answer(&q, word);
	if (!q.left)
		guard_end(&guard);
	return status;
}

static int run_why(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .image = IMAGE_CHECK_INIT };
	const struct cli_option options[] = {
		INSTALLATION_OPTIONS(o.image.socket, o.distribution),
		{ "namespace", 'n', CLI_STRING, &o.namespace, "NS",
		  "containerd namespace (all of them)" },
		{ "config", 'c', CLI_STRING, &o.image.config_path, "FILE",
		  "the node's configuration, if not the one containerd names" },
		{ "snapshotter", 's', CLI_STRING, &o.image.snapshotter, "NAME",
		  "where an image is unpacked (overlayfs)" },
		{ "json", 0, CLI_FLAG, &o.json, NULL, "print JSON" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 0, 1, argc, argv, &operands, &status))
		return status;
	return ask(self, &o, operands.n ? operands.v[0] : NULL);
}

const struct cli_command cmd_why = {
	.name = "why",
	.operands = "[POD | CONTAINER | IMAGE]",
	.summary = "say why a container of any runtime does not run here",
	.text = "POD is NAME, NAMESPACE/NAME or the beginning of an id, CONTAINER a name or the "
		"beginning of\n"
		"an id, IMAGE a reference. Each container is shown with its image, command and "
		"end, with what\n"
		"its own runtime said, and with the verdict that crossarch would give now; of one "
		"that was\n"
		"restarted the newest attempt. Of an image whose pull fails with "
		"\"no match\n"
		"for platform in manifest\" the platforms it has are shown, and the ways out.\n"
		"\n"
		"Without an operand: every container that failed or did not come to run, and that "
		"crossarch\n"
		"has something to say of, newest first.\n"
		"\n"
		"Exit status: 0 nothing is wrong; 1 one of those shown would be refused or failed "
		"of what\n"
		"would have been, or the question failed; 2 wrong usage, or a word that fits "
		"several.\n"
		"\n"
		"In a pod with the node's root on /host (kubectl debug node/N --profile=sysadmin) "
		"it is the\n"
		"node's containerd that is asked.\n"
		"\n"
		"Examples:\n"
		"  crossarch why\n"
		"  crossarch why default/web-6c5f\n"
		"  crossarch why 3f2a9c\n"
		"  crossarch why docker.io/library/nginx:latest\n"
		"  kubectl debug node/N -it --profile=sysadmin --image=crossarch/node -- crossarch "
		"why web\n",
	.run = run_why,
};
