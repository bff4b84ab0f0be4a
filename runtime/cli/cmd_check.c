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
#include "runtime/cli/containerd_config.h"
#include "runtime/cli/containerd_process.h"
#include "runtime/cli/dry_run.h"
#include "runtime/cli/image_check.h"
#include "runtime/cli/output.h"
#include "runtime/containerd/rpc.h"

#define STANDARD_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct options {
	const char *bundle, *rootfs;
	struct image_check image; /* address and so on */
	bool json, quiet;
	const char *args[65];  /* NULL-terminated */
	char config_path[256]; /* as containerd's configuration has it */
};

/* --- one verdict ----------------------------------------------------------------------------- */

static const char *verdict_name(const struct report *r)
{
	static const char *const names[VERDICT_N] = {
		[VERDICT_NONE] = "unknown",
		[VERDICT_NATIVE] = "native",
		[VERDICT_EMULATE] = "emulated",
		[VERDICT_REFUSE] = "refused",
	};

	return names[r->verdict];
}

static enum tone verdict_tone(const struct report *r)
{
	if (r->verdict == VERDICT_REFUSE)
		return TONE_BAD;
	if (r->verdict == VERDICT_NONE || r->n_warnings)
		return TONE_WARN;
	return TONE_GOOD;
}

/* What runs and how, in the words after the verdict. */
static void verdict_text(const struct report *r, char *text, size_t size)
{
	switch ((enum verdict)r->verdict) {
	case VERDICT_NATIVE:
		if (*r->guest)
			(void)str_fmt(text, size, "%s is %s", r->program, r->guest);
		else
			(void)str_fmt(text, size,
				      "nothing speaks against %s; the engine will find it or not",
				      r->program);
		return;
	case VERDICT_EMULATE:
		(void)str_fmt(text, size, "%s is %s, run by the handler %s", r->program, r->guest,
			      r->handler);
		return;
	case VERDICT_REFUSE:
		(void)str_copy(text, size, r->line);
		return;
	case VERDICT_NONE:
	case VERDICT_N:
		(void)str_copy(text, size, r->err.text);
		return;
	}
}

static void print_verdict(const struct report *r, unsigned int indent)
{
	char text[1100];

	verdict_text(r, text, sizeof(text));
	printf("%*s%s%s%s: %s\n", (int)indent, "", tone_on(verdict_tone(r)), verdict_name(r),
	       tone_off(), text);
	for (size_t i = 0; i < r->n_warnings; i++)
		printf("%*s%swarning%s: %s\n", (int)indent, "", tone_on(TONE_WARN), tone_off(),
		       r->warnings[i]);
}

static json *verdict_json(const struct report *r)
{
	json *o = json_object_new_object(), *warnings = json_object_new_array();

	json_put_text(o, "verdict", verdict_name(r));
	json_put_text(o, "program", r->program);
	json_put_text(o, "guest", *r->guest ? r->guest : NULL);
	json_put_text(o, "handler", *r->handler ? r->handler : NULL);
	json_put_text(o, "code", *r->code ? r->code : NULL);
	json_put_text(o, "line", *r->line ? r->line : NULL);
	json_put_text(o, "error", r->verdict == VERDICT_NONE ? r->err.text : NULL);
	for (size_t i = 0; i < r->n_warnings; i++)
		json_object_array_add(warnings, json_object_new_string(r->warnings[i]));
	json_object_object_add(o, "warnings", warnings);
	return o;
}

static int status_of(const struct report *r)
{
	return r->verdict == VERDICT_NATIVE || r->verdict == VERDICT_EMULATE ? CLI_DONE
									     : CLI_FAILED;
}

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
		print_verdict(r, 0);
	return status_of(r);
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

static json *member_json(const struct image_verdict *v)
{
	json *o = v->report ? verdict_json(v->report) : json_object_new_object();

	json_put_text(o, "platform", v->member->platform);
	json_put_text(o, "declared", *v->member->declared ? v->member->declared : NULL);
	json_put_text(o, "manifest", v->member->manifest);
	json_put_bool(o, "here", v->member->here);
	json_put_bool(o, "cri", v->chosen);
	if (!v->report)
		json_put_text(o, "unchecked", v->why);
	return o;
}

static void show_json(const struct image_answer *a)
{
	json *o = json_object_new_object(), *list = json_object_new_array();

	json_put_text(o, "image", a->name);
	json_put_bool(o, "index", a->members.index);
	for (size_t i = 0; i < a->members.n; i++)
		json_object_array_add(list, member_json(&a->verdicts[i]));
	json_object_object_add(o, "platforms", list);
	json_show(o);
}

static void print_member(const struct image_verdict *v)
{
	printf("%s%s\n  manifest %s\n", v->member->platform,
	       v->chosen ? "  <- what CRI takes on this node" : "", v->member->manifest);
	if (*v->member->declared && !str_eq(v->member->declared, v->member->platform))
		printf("  its configuration declares %s\n", v->member->declared);
	if (v->report)
		print_verdict(v->report, 2);
	else
		printf("  %snot checked%s: %s\n", tone_on(TONE_DIM), tone_off(), v->why);
}

static void show_text(const struct image_answer *a)
{
	printf("%s: %s of %zu platform%s\n", a->name,
	       a->members.index ? "an index" : "one manifest", a->members.n,
	       a->members.n == 1 ? "" : "s");
	for (size_t i = 0; i < a->members.n; i++)
		print_member(&a->verdicts[i]);
	if (a->choice < 0)
		printf("%sCRI takes none of them here%s: a pull on this node fails with \"no match "
		       "for platform in manifest\". Name the one you want by its digest, "
		       "NAME@sha256:..., for CRI takes a single manifest whatever its platform is."
		       "\n",
		       tone_on(TONE_BAD), tone_off());
	else if (a->members.index && a->members.n > 1)
		printf("For another platform in a pod name its manifest by digest: "
		       "NAME@sha256:...\n");
}

/*
 * The configuration file that containerd hands to the shim: pods are judged by it, and so is the
 * image. Where containerd does not tell, the default stays.
 */
static void find_config_path(struct image_check *where, char *ret, size_t size)
{
	CLEANUP_CONTAINERD struct containerd c = { .path = NULL };
	CLEANUP_BUF struct buf dump = BUF_INIT(4u << 20);
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	const struct runtime_handler *ours;
	struct err ignored;

	if (!config || containerd_find(where->socket, &c, &ignored) < 0 || !c.pid ||
	    containerd_dump_config(&c, c.config, &dump, &ignored) < 0)
		return;
	containerd_config_read(buf_str(&dump), config);
	ours = handler_ours(config);
	if (ours && *handler_settings_path(ours) &&
	    str_copy(ret, size, handler_settings_path(ours)))
		where->config_path = ret;
}

static int check_image(const struct cli_command *self, struct options *o, const char *name)
{
	CLEANUP_IMAGE_ANSWER struct image_answer a = { .name = name };
	struct err err = ERR_INIT;

	o->image.args = o->args;
	if (!o->image.config_path)
		find_config_path(&o->image, o->config_path, sizeof(o->config_path));
	if (image_check(&o->image, name, &a, &err) < 0)
		return cli_fail(
			self, "%s%s", err.text,
			a.connected
				? err.code == ERR_NOT_FOUND
					  ? ". \"ctr -n NAMESPACE images ls -q\" lists the names "
					    "there are; --namespace chooses another one."
					  : ""
				: ". Is containerd running, is --address its socket, "
				  "and are you root?");
	if (o->json)
		show_json(&a);
	else
		show_text(&a);
	if (a.choice < 0)
		return CLI_FAILED;
	return a.verdicts[a.choice].report ? status_of(a.verdicts[a.choice].report) : CLI_FAILED;
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

	if (o->bundle && o->rootfs)
		return cli_usage(self, "--bundle and --rootfs exclude each other");
	if (image && !operands->n)
		return cli_usage(self, "check what? Give an image, --rootfs DIR or --bundle DIR");
	if (o->bundle && operands->n)
		return cli_usage(self, "a bundle's command is in its config.json");
	if (!take_args(o, operands, image ? 1 : 0))
		return cli_usage(self, "too many arguments");
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
		{ "config", 'c', CLI_STRING, &o.image.config_path, "FILE",
		  "the node's configuration, if not the one containerd names" },
		{ "address", 'a', CLI_STRING, &o.image.socket, "SOCK",
		  "containerd's socket (" CHECK_SOCKET ")" },
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
		"Examples:\n"
		"  crossarch check docker.io/library/nginx:latest\n"
		"  crossarch check --rootfs /srv/root -- /usr/bin/app\n"
		"  crossarch check --bundle "
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/ID\n",
	.run = run_check,
};
