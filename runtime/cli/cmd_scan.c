/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/cli/check_guard.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/distribution.h"
#include "runtime/cli/host_root.h"
#include "runtime/cli/image_check.h"
#include "runtime/cli/node_config.h"
#include "runtime/cli/output.h"
#include "runtime/cli/scan.h"
#include "runtime/cli/scan_archive.h"
#include "runtime/cli/scan_containers.h"
#include "runtime/cli/scan_display.h"
#include "runtime/cli/scan_images.h"
#include "runtime/host/host.h"

struct options {
	const char *socket, *distribution; /* NULL: found out */
	const char *namespace, *snapshotter, *config;
	const char *tar, *layout; /* instead of containerd, NULL */
	bool json, quiet;
	char config_path[256]; /* as containerd's configuration has it */
};

/* --- how far it is --------------------------------------------------------------------------- */

static void show_progress(const char *what, size_t done, size_t of)
{
	fprintf(stderr, "\rcrossarch scan: %zu of %zu %s\033[K", done + 1, of, what);
}

static void no_progress(const char *what, size_t done, size_t of)
{
	(void)what;
	(void)done;
	(void)of;
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* --- the node -------------------------------------------------------------------------------- */

static int look(const struct options *o, struct scan *s, const struct scan_question *q,
		const struct container_judge *j, struct err *err)
{
	if (node_containers_read(o->socket, o->namespace, &s->node, err) < 0)
		return -1;
	if (scan_images(s, q, err) < 0)
		return -1;
	return scan_containers(s, j, q->on_progress, err);
}

static int show(const struct scan *s, bool as_json)
{
	int status = CLI_DONE;

	if (as_json)
		json_show(scan_json(s));
	else
		scan_print(s);
	for (size_t i = 0; i < s->n_images; i++)
		if (scan_image_is_bad(&s->images[i]))
			status = CLI_FAILED;
	for (size_t i = 0; i < s->n_containers; i++)
		if (scan_container_is_bad(&s->containers[i]))
			status = CLI_FAILED;
	return status;
}

static const char *advice(const struct scan *s)
{
	return s->node.n_spaces ? ""
				: ". Is containerd running, is --address its socket, and are you "
				  "root?";
}

/* What starts programs or forks comes before the first call to containerd. */
static int scan_node(const struct cli_command *self, struct options *o)
{
	CLEANUP_GUARD struct guard guard = GUARD_INIT;
	CLEANUP_HOST_ROOT struct host_root node = HOST_ROOT_INIT;
	CLEANUP_SCAN struct scan s = SCAN_INIT;
	char lease[IMAGE_LEASE_MAX];
	struct guarded guarded = { NULL, o->namespace, lease };
	struct scan_question q = { .judge = { .snapshotter = o->snapshotter, .lease = lease } };
	struct container_judge j = { .config_path = NULL };
	struct err err = ERR_INIT;
	struct host host;
	int rc;

	if (host_probe(&host, &err) < 0 ||
	    host_root_enter(o->distribution, &o->socket, &node, &err) < 0)
		return cli_fail(self, "%s", err.text);
	guarded.socket = o->socket;
	if (!o->config)
		o->config =
			node_config_find(o->socket, NULL, o->config_path, sizeof(o->config_path));
	image_judge_lease("scan", lease);
	if (guard_start(&guard, &guarded, &err) < 0)
		return cli_fail(self, "%s", err.text);
	image_judge_isolate(&q.judge);
	q.judge.config_path = j.config_path = o->config;
	q.judge.prepare = j.prepare = host_root_prepare(&node);
	q.host = host.arch;
	q.on_progress = isatty(STDERR_FILENO) ? show_progress : no_progress;
	j.isolated = q.judge.isolated;
	j.why_not = q.judge.why_not;
	rc = look(o, &s, &q, &j, &err);
	end_progress();
	if (rc == 0 || !s.node.n_spaces)
		guard_end(&guard); /* otherwise it clears up */
	if (rc < 0)
		return cli_fail(self, "%s%s", err.text, advice(&s));
	return show(&s, o->json);
}

/* --- an archive ------------------------------------------------------------------------------ */

static int scan_file(const struct cli_command *self, const struct options *o)
{
	CLEANUP_GUARD struct guard guard = GUARD_INIT;
	CLEANUP_SCAN struct scan s = SCAN_INIT;
	const struct guarded nothing = { o->socket, NULL, NULL };
	struct scan_question q = { .judge = { .config_path = o->config } };
	struct err err = ERR_INIT;
	struct host host;
	int rc;

	if (host_probe(&host, &err) < 0 || guard_start(&guard, &nothing, &err) < 0)
		return cli_fail(self, "%s", err.text);
	q.host = host.arch;
	q.on_progress = isatty(STDERR_FILENO) ? show_progress : no_progress;
	rc = scan_archive(&s, o->tar ? o->tar : o->layout, !o->tar, &q, &err);
	end_progress();
	guard_end(&guard);
	return rc < 0 ? cli_fail(self, "%s", err.text) : show(&s, o->json);
}

/* --- the command ----------------------------------------------------------------------------- */

static int run_scan(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .snapshotter = "overlayfs" };
	const struct cli_option options[] = {
		{ "tar", 't', CLI_STRING, &o.tar, "FILE",
		  "the images of an archive, OCI's or docker's (- for a pipe)" },
		{ "layout", 'l', CLI_STRING, &o.layout, "DIR",
		  "the same of an OCI image layout in a directory" },
		INSTALLATION_OPTIONS(o.socket, o.distribution),
		{ "namespace", 'n', CLI_STRING, &o.namespace, "NS",
		  "containerd namespace (all of them)" },
		{ "snapshotter", 's', CLI_STRING, &o.snapshotter, "NAME",
		  "where images are unpacked (overlayfs)" },
		{ "config", 'c', CLI_STRING, &o.config, "FILE",
		  "the node's configuration, if not the one containerd names" },
		{ "json", 0, CLI_FLAG, &o.json, NULL, "print JSON" },
		{ "quiet", 'q', CLI_FLAG, &o.quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (o.tar && o.layout)
		return cli_usage(self, "--tar and --layout exclude each other");
	if (o.quiet)
		be_quiet();
	return o.tar || o.layout ? scan_file(self, &o) : scan_node(self, &o);
}

const struct cli_command cmd_scan = {
	.name = "scan",
	.operands = "",
	.summary = "judge all images and containers of the node",
	.text = "A summary by platform, then each image with its platforms, which of them are "
		"unpacked, and\n"
		"the verdict on those; then each container. Images whose label says another "
		"architecture than\n"
		"that of the program they start are named. Nothing is unpacked or pulled.\n"
		"\n"
		"With --tar or --layout, no containerd is asked: each platform of the images in "
		"there is\n"
		"unpacked into a temporary directory (TMPDIR) and judged by its own files. FILE "
		"may be -, for\n"
		"standard input.\n"
		"\n"
		"Exit status: 0 nothing is wrong, 1 something would be refused, is mislabelled or "
		"cannot be\n"
		"read, or the scan itself failed; 2 wrong usage.\n"
		"\n"
		"Examples:\n"
		"  crossarch scan\n"
		"  crossarch scan --tar image.tar\n"
		"  docker save app:1 | crossarch scan --tar -\n"
		"  crossarch scan --json | jq '.images[] | select(.platforms[].mislabelled)'\n",
	.run = run_scan,
};
