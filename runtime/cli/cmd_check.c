/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/distribution.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/image_check.h"
#include "runtime/cli/image_display.h"
#include "runtime/cli/node_config.h"
#include "runtime/cli/output.h"
#include "runtime/cli/verdict.h"
#include "runtime/cli/wish_display.h"

#define STANDARD_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct options {
	const char *bundle, *rootfs;
	struct image_check image; /* address and so on */
	const char *distribution; /* NULL: found out */
	const char *platform;	  /* of a pod that asks for one, NULL */
	struct platform wanted;
	bool json, quiet;
	const char *args[65];  /* NULL-terminated */
	char config_path[256]; /* as containerd's configuration has it */
};

/* --- a directory ----------------------------------------------------------------------------- */

static int ask_and_show(const struct cli_command *self, const struct options *o,
			const struct dry_run *c)
{
	CLEANUP_FREE struct report *r = calloc(1, sizeof(*r));
	struct err err = ERR_INIT;

	if (!r)
		return cli_fail(self, "no memory");
	if (dry_run(c, r, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (o->json)
		json_show(verdict_json(r));
	else
		verdict_print(r, 0);
	return verdict_status(r);
}

static int check_bundle(const struct cli_command *self, const struct options *o)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);
	CLEANUP_FREE char *dir = realpath(o->bundle, NULL);
	char path[PATH_MAX];
	struct err err = ERR_INIT;
	struct dry_run c = { .bundle = dir, .config_path = o->image.config_path };

	if (!dir || !str_fmt(path, sizeof(path), "%s/config.json", dir))
		return cli_fail(self, "bundle %s: no such directory", o->bundle);
	if (file_read(AT_FDCWD, path, &text, &err) < 0)
		return cli_fail(self,
				"%s. A bundle is a directory with config.json and a root "
				"file system",
				err.text);
	c.config = buf_str(&text);
	return ask_and_show(self, o, &c);
}

static int check_rootfs(const struct cli_command *self, const struct options *o)
{
	static const char *const env[] = { STANDARD_PATH, NULL }, *const shell[] = { "/bin/sh",
										     NULL };
	CLEANUP_FREE char *dir = realpath(o->rootfs, NULL);
	CLEANUP_JSON json *spec = NULL;
	struct dry_run c = { .config_path = o->image.config_path };

	if (!dir || access(dir, X_OK) < 0)
		return cli_fail(self, "root file system %s: no such directory", o->rootfs);
	spec = spec_of_rootfs(dir, o->args[0] ? o->args : shell, env, "/");
	c.config = json_object_to_json_string(spec);
	return ask_and_show(self, o, &c);
}

/* --- an image -------------------------------------------------------------------------------- */

static int check_image(const struct cli_command *self, struct options *o, const char *name)
{
	CLEANUP_IMAGE_ANSWER struct image_answer a = { .name = name };
	struct err err = ERR_INIT;

	o->image.args = o->args;
	if (installation_socket(o->distribution, o->image.socket, &o->image.socket, &err) < 0)
		return cli_usage(self, "%s", err.text);
	if (!o->image.config_path)
		o->image.config_path = node_config_find(o->image.socket, o->image.wanted,
							o->config_path, sizeof(o->config_path));
	if (image_check(&o->image, name, &a, &err) < 0)
		return cli_fail(self, "%s%s", err.text, image_answer_advice(&a, &err));
	if (o->image.wanted)
		return wish_show(&a, o->image.wanted, o->json);
	if (o->json)
		json_show(image_answer_json(&a));
	else
		image_answer_print(&a);
	return image_answer_status(&a);
}

/* --- the command ----------------------------------------------------------------------------- */

/* False when there are more words than anybody types. */
static bool take_args(struct options *o, const struct cli_operands *operands, size_t from)
{
	size_t n = operands->n > from ? operands->n - from : 0;

	if (n >= ARRAY_SIZE(o->args))
		return false;
	for (size_t i = 0; i < n; i++)
		o->args[i] = operands->v[from + i];
	o->args[n] = NULL;
	return true;
}

static int dispatch(const struct cli_command *self, struct options *o,
		    const struct cli_operands *operands)
{
	bool image = !o->bundle && !o->rootfs;
	struct err err = ERR_INIT;

	if (o->bundle && o->rootfs)
		return cli_usage(self, "--bundle and --rootfs exclude each other");
	if (image && !operands->n)
		return cli_usage(self, "check what? Give an image, --rootfs DIR or --bundle DIR");
	if (o->platform && !image)
		return cli_usage(self, "--platform is for images");
	if (o->platform && platform_parse(o->platform, &o->wanted, &err) < 0)
		return cli_usage(self, "--platform: %s", err.text);
	if (o->bundle && operands->n)
		return cli_usage(self, "a bundle's command is in its config.json");
	if (!take_args(o, operands, image ? 1 : 0))
		return cli_usage(self, "too many arguments");
	if (o->platform)
		o->image.wanted = &o->wanted;
	if (o->quiet)
		be_quiet();
	if (o->bundle)
		return check_bundle(self, o);
	return image ? check_image(self, o, operands->v[0]) : check_rootfs(self, o);
}

static int run_check(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .image = IMAGE_CHECK_INIT };
	const struct cli_option options[] = {
		{ "rootfs", 'r', CLI_STRING, &o.rootfs, "DIR",
		  "a root file system; ARGS is the command (/bin/sh)" },
		{ "bundle", 'b', CLI_STRING, &o.bundle, "DIR", "an OCI bundle" },
		{ "platform", 'p', CLI_STRING, &o.platform, "P",
		  "an image: what a pod that asks for this platform gets" },
		{ "config", 'c', CLI_STRING, &o.image.config_path, "FILE",
		  "the node's configuration, if not the one containerd names" },
		INSTALLATION_OPTIONS(o.image.socket, o.distribution),
		{ "namespace", 'n', CLI_STRING, &o.image.namespace, "NS",
		  "containerd namespace (k8s.io)" },
		{ "snapshotter", 's', CLI_STRING, &o.image.snapshotter, "NAME",
		  "where the image is unpacked, or is to be for a moment (overlayfs)" },
		{ "json", 0, CLI_FLAG, &o.json, NULL, "print JSON" },
		{ "quiet", 'q', CLI_FLAG, &o.quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 0, 80, argc, argv, &operands, &status))
		return status;
	return dispatch(self, &o, &operands);
}

const struct cli_command cmd_check = {
	.name = "check",
	.operands = "IMAGE | --rootfs DIR | --bundle DIR [-- ARGS]",
	.summary = "say what would happen to an image, without running it",
	.text = "The verdict comes from the program that decides at every start of a container: "
		"native,\n"
		"emulated, or refused with a reason. For an image all its platforms are shown, "
		"which of\n"
		"them the kubelet would get on this node, and the verdict on each that is here, "
		"seen through\n"
		"a temporary read-only snapshot. One that was never unpacked is unpacked for that, "
		"into\n"
		"temporary snapshots as well. Exit status 1 when what CRI takes would be refused.\n"
		"\n"
		"With --platform it is what a pod would get here that asks for that platform of "
		"the image:\n"
		"whether it is here or would be pulled, how it would run, and in what it differs "
		"from what\n"
		"CRI takes.\n"
		"\n"
		"Examples:\n"
		"  crossarch check docker.io/library/nginx:latest\n"
		"  crossarch check --platform linux/arm64 nginx:latest\n"
		"  crossarch check --rootfs /srv/root -- /usr/bin/app\n"
		"  crossarch check --bundle "
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/ID\n",
	.run = run_check,
};
