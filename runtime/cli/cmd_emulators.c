/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/binfmt_mount.h"
#include "runtime/cli/boot_file.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/emulator_display.h"
#include "runtime/cli/emulator_install.h"
#include "runtime/cli/emulator_keep.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/interpreter.h"
#include "runtime/cli/output.h"
#include "runtime/cli/private_pods.h"
#include "runtime/cli/rearm_count.h"

struct options {
	const char *path, *emulator;
	const struct emulator_kind *kind; /* of that name, NULL without */
	bool credentials, force, json, quiet, pod;
	char **archs; /* operands behind the action */
	size_t n_archs;
};

/* --- architectures on the command line ------------------------------------------------------- */

/* "arm64", "aarch64", "linux/arm64"; NULL after having said what is wrong. */
static const struct arch *arch_named(const struct cli_command *self, const char *name)
{
	const char *bare = str_after(name, "linux/");
	const struct arch *a;

	bare = bare ? bare : name;
	a = arch_by_name(bare, strcspn(bare, "/"));
	if (!a)
		(void)cli_usage(self,
				"no architecture \"%s\"; examples: arm64, arm, riscv64, s390x, "
				"ppc64le, loong64, mips64le",
				name);
	return a;
}

static bool wanted(const struct options *o, const struct arch *a)
{
	for (size_t i = 0; i < o->n_archs; i++) {
		const char *bare = str_after(o->archs[i], "linux/");

		bare = bare ? bare : o->archs[i];
		if (arch_by_name(bare, strcspn(bare, "/")) == a)
			return true;
	}
	return !o->n_archs;
}

static bool archs_valid(const struct cli_command *self, const struct options *o)
{
	for (size_t i = 0; i < o->n_archs; i++)
		if (!str_eq(o->archs[i], "all") && !arch_named(self, o->archs[i]))
			return false;
	return true;
}

/* --- list and test --------------------------------------------------------------------------- */

/* Drops what the person did not ask for. */
static void keep_wanted(const struct options *o, struct node *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->n; i++)
		if (!o->n_archs || (n->list[i].arch && wanted(o, n->list[i].arch)))
			n->list[kept++] = n->list[i];
	n->n = kept;
}

static int show(const struct cli_command *self, const struct options *o, bool try)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	struct err err = ERR_INIT;
	size_t bad = 0, tried = 0;

	if (node_read(&n, &err) < 0)
		return cli_fail(self, "%s", err.text);
	keep_wanted(o, &n);
	emulators_ask_versions(&n);
	if (try)
		emulators_try(&n);
	for (size_t i = 0; i < n.n; i++) {
		bad += n.list[i].works == WORKS_NO || n.list[i].apart[0];
		tried += n.list[i].works != WORKS_UNTRIED;
	}
	if (o->json) {
		emulators_print_json(&n);
	} else if (emulators_absence(&n)) {
		fprintf(try ? stderr : stdout, "%s\n", emulators_absence(&n));
	} else if (!n.n) {
		fprintf(try ? stderr : stdout, "no handler%s\n", o->n_archs ? " for that" : "");
	} else {
		emulators_print(&n, try);
	}
	return try && (bad || !tried) ? CLI_FAILED : CLI_DONE;
}

static int run_list(const struct cli_command *self, const struct options *o)
{
	struct err err = ERR_INIT;

	if (!o->pod)
		return show(self, o, false);
	return private_pods_show(o->json, &err) < 0 ? cli_fail(self, "%s", err.text) : CLI_DONE;
}

static int run_test(const struct cli_command *self, const struct options *o)
{
	return show(self, o, true);
}

/* --- install and remove ---------------------------------------------------------------------- */

/* To standard error where standard output is for a machine. */
static int ensure_mounted(const struct cli_command *self, FILE *out)
{
	enum binfmt_mounted mounted;
	struct err err = ERR_INIT;

	if (binfmt_mount(&mounted, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (mounted == BINFMT_MOUNTED)
		fprintf(out, "mounted binfmt_misc on " BINFMT_DIR
			     " (systemd mounts it at boot when proc-sys-fs-binfmt_misc.mount is "
			     "enabled)\n");
	else if (mounted == BINFMT_TRIGGERED)
		fprintf(out, "the automount on " BINFMT_DIR " had not been used yet; binfmt_misc "
			     "is mounted there now\n");
	return CLI_DONE;
}

/* The node's handlers, in the instance that its programs see, which is mounted if need be. */
static int read_mounted(const struct cli_command *self, struct node *n, FILE *out)
{
	struct err err = ERR_INIT;
	int status = ensure_mounted(self, out);

	if (status != CLI_DONE)
		return status;
	if (node_read(n, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (n->dirfd < 0)
		return cli_fail(self, "binfmt_misc cannot be opened, although it is mounted: run "
				      "this on the node itself");
	if (binfmt_mount_prove(n->dirfd, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (binfmt_mount_is_blind())
		fprintf(stderr, "note: this container does not see the node's processes (hostPID), "
				"so it cannot be told whether handlers stay when it ends\n");
	if (n->binfmt.state == BINFMT_OFF)
		return cli_fail(self, "binfmt_misc as a whole is switched off: echo 1 > " BINFMT_DIR
				      "/status");
	return CLI_DONE;
}

static json *installed_json(const struct arch *a, const struct install_result *r)
{
	json *o = json_object_new_object();

	json_put_text(o, "architecture", arch_label(a));
	json_put_bool(o, "changed", r->outcome == INSTALLED);
	json_put_text(o, "handler", r->handler);
	json_put_text(o, "emulator", r->kind->name);
	json_put_text(o, "interpreter", r->interpreter);
	json_put_text(o, "flags", r->flags);
	json_put_text(o, "boot_file", r->boot[0] ? r->boot : NULL);
	json_put_text(o, "covered", r->covered[0] ? r->covered : NULL);
	json_put_text(o, "overridden_at_boot_by", r->later[0] ? r->later : NULL);
	return o;
}

static void print_installed(const struct arch *a, const struct install_result *r)
{
	if (r->outcome == INSTALLED)
		printf("%s: registered %s for %s (flags %s), and wrote %s\n", arch_label(a),
		       r->handler, r->interpreter, r->flags, r->boot);
	else
		printf("%s: nothing to do, %s runs %s (flags %s) and %s keeps it\n", arch_label(a),
		       r->handler, r->interpreter, r->flags,
		       r->boot[0] ? r->boot : "whoever registered it");
	if (!r->lasts)
		printf("  note: " BOOT_DIR " is read-only, so a reboot takes it away; \"crossarch "
		       "emulators install\" has to be run again then\n");
	if (r->covered[0])
		printf("  note: that takes the place of the handler %s, which stays registered\n",
		       r->covered);
	if (r->later[0])
		printf("  note: at the next boot %s registers another handler after ours and wins; "
		       "to "
		       "prevent it: ln -s /dev/null " BOOT_DIR "/%s\n",
		       r->later, strrchr(r->later, '/') + 1);
}

/* @list collects the results for --json, NULL prints lines. */
static int install_one(const struct cli_command *self, const struct options *o,
		       const struct node *n, const struct arch *a, json *list)
{
	const struct install wish = {
		.arch = a,
		.kind = o->kind,
		.path = o->path,
		.credentials = o->credentials,
		.force = o->force,
	};
	struct install_result r;
	struct err err = ERR_INIT;

	if (emulator_install(n, &wish, &r, &err) < 0)
		return cli_fail(self, "%s: %s", arch_label(a), err.text);
	if (list)
		json_object_array_add(list, installed_json(a, &r));
	else
		print_installed(a, &r);
	return CLI_DONE;
}

/* Every architecture that is foreign here and has an emulator on this node. */
static int install_all(const struct cli_command *self, const struct options *o,
		       const struct node *n, json *list)
{
	const struct emulator_kind *kind = o->kind ? o->kind : emulator_kind_named("qemu");
	size_t n_rows, found = 0;
	const struct arch *rows = arch_rows(&n_rows);
	int status = CLI_DONE;

	for (size_t i = 0; i < n_rows; i++) {
		char path[512];
		struct err err;

		if (!emulator_kind_runs(kind, &rows[i]) ||
		    arch_by_name(arch_label(&rows[i]), strlen(arch_label(&rows[i]))) != &rows[i] ||
		    host_runs(&n->host, &rows[i]) != HOST_NO ||
		    interpreter_find(kind, &rows[i], o->path, path, sizeof(path), &err) < 0)
			continue;
		found++;
		if (install_one(self, o, n, &rows[i], list) != CLI_DONE)
			status = CLI_FAILED;
	}
	if (!found && o->kind && !emulator_kind_is_qemu(o->kind))
		return cli_fail(self, "no %s on this node that could be of use here", kind->label);
	if (!found)
		return cli_fail(self, "no emulator on this node: install the package "
				      "qemu-user-static, or name a directory with --path");
	return status;
}

static int install_each(const struct cli_command *self, const struct options *o,
			const struct node *n, json *list)
{
	int status = CLI_DONE;

	for (size_t i = 0; i < o->n_archs; i++) {
		const char *name = o->archs[i];
		int rc = str_eq(name, "all")
				 ? install_all(self, o, n, list)
				 : install_one(self, o, n, arch_named(self, name), list);

		if (rc != CLI_DONE)
			status = rc;
	}
	return status;
}

static int run_install(const struct cli_command *self, const struct options *o)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	json *list = o->json ? json_object_new_array() : NULL;
	int status;

	if (!o->n_archs)
		return cli_usage(self, "install which architectures? Examples: arm64, s390x, all");
	status = read_mounted(self, &n, o->json ? stderr : stdout);
	if (status != CLI_DONE)
		return status;
	status = install_each(self, o, &n, list);
	if (list)
		json_show(list);
	return status;
}

static int remove_one(const struct cli_command *self, const struct options *o, const struct node *n,
		      const struct arch *a, bool mention_nothing)
{
	struct remove_result r;
	struct err err = ERR_INIT;

	if (emulator_remove(n, a, o->force, &r, &err) < 0)
		return cli_fail(self, "%s: %s", arch_label(a), err.text);
	if (r.handler || r.boot)
		printf("%s: removed %s%s%s\n", arch_label(a), r.handler ? "the handler" : "",
		       r.handler && r.boot ? " and " : "", r.boot ? "its file for the boot" : "");
	else if (mention_nothing && !r.stays)
		printf("%s: nothing that \"crossarch emulators install\" made\n", arch_label(a));
	if (r.stays)
		printf("%s: the handler %s (%s) is another installer's and stays; --force removes "
		       "it\n",
		       arch_label(a), r.stays->name, r.stays->interpreter);
	return CLI_DONE;
}

static int remove_all(const struct cli_command *self, const struct options *o, const struct node *n)
{
	size_t n_rows;
	const struct arch *rows = arch_rows(&n_rows);
	int status = CLI_DONE;

	for (size_t i = 0; i < n_rows; i++)
		if (remove_one(self, o, n, &rows[i], false) != CLI_DONE)
			status = CLI_FAILED;
	return status;
}

static int run_remove(const struct cli_command *self, const struct options *o)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	struct err err = ERR_INIT;
	int status = CLI_DONE;

	if (!o->n_archs)
		return cli_usage(self, "remove which architectures? Examples: arm64, s390x, all");
	if (node_read(&n, &err) < 0)
		return cli_fail(self, "%s", err.text);
	for (size_t i = 0; i < o->n_archs; i++) {
		int rc = str_eq(o->archs[i], "all")
				 ? remove_all(self, o, &n)
				 : remove_one(self, o, &n, arch_named(self, o->archs[i]), true);

		if (rc != CLI_DONE)
			status = rc;
	}
	return status;
}

static int run_keep(const struct cli_command *self, const struct options *o)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	struct err err = ERR_INIT;
	int status;

	if (o->n_archs)
		return cli_usage(self, "keep looks at all that install made, and takes no names");
	if (!emulators_keep_any())
		return CLI_DONE;
	status = read_mounted(self, &n, stdout);
	if (status != CLI_DONE)
		return status;
	return emulators_keep(&n, &err) < 0 ? cli_fail(self, "%s", err.text) : CLI_DONE;
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(const struct cli_command *self, const struct options *o);
} actions[] = {
	{ "list", run_list },	  { "install", run_install }, { "keep", run_keep },
	{ "remove", run_remove }, { "test", run_test },
};

/* --emulator; false after having said what is wrong. */
static bool kind_valid(const struct cli_command *self, struct options *o, const char *action)
{
	char names[128] = "";
	size_t n, used = 0;
	const struct emulator_kind *kinds = emulator_kinds(&n);
	bool installs = str_eq(action, "install");

	if ((o->emulator && !installs) || (o->force && !installs && !str_eq(action, "remove"))) {
		(void)cli_usage(self,
				"--emulator and --force go with install, and --force with remove");
		return false;
	}
	o->kind = o->emulator ? emulator_kind_named(o->emulator) : NULL;
	if (!o->emulator || o->kind)
		return true;
	for (size_t i = 0; i < n; i++)
		if (kinds[i].flags && emulator_kind_named(kinds[i].name)) {
			(void)str_fmt(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
				      kinds[i].name);
			used = strlen(names);
		}
	(void)cli_usage(self, "no emulator \"%s\"; there are %s", o->emulator, names);
	return false;
}

static int run_emulators(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .path = NULL };
	const struct cli_option options[] = {
		{ "path", 'p', CLI_STRING, &o.path, "PATH",
		  "install: the emulator, or a directory of them" },
		{ "emulator", 'e', CLI_STRING, &o.emulator, "NAME",
		  "install: qemu, box64, box86 or fex" },
		{ "force", 0, CLI_FLAG, &o.force, NULL,
		  "install: also in front or in the place of somebody else's; remove: also such a "
		  "one" },
		{ "credentials", 0, CLI_FLAG, &o.credentials, NULL,
		  "install: let set-user-ID programs gain privilege (flag C)" },
		{ "pod", 0, CLI_FLAG, &o.pod, NULL,
		  "list: those that pods have for themselves, not the node's" },
		{ "json", 0, CLI_FLAG, &o.json, NULL, "print JSON" },
		{ "quiet", 'q', CLI_FLAG, &o.quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	const char *action;
	int status;

	if (!cli_parse(self, options, 0, 64, argc, argv, &operands, &status))
		return status;
	action = operands.n ? operands.v[0] : "list";
	o.archs = operands.v + 1;
	o.n_archs = operands.n ? operands.n - 1 : 0;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!str_eq(actions[i].name, action))
			continue;
		if (!archs_valid(self, &o) || !kind_valid(self, &o, action))
			return CLI_USAGE;
		if (o.pod && (actions[i].run != run_list || o.n_archs))
			return cli_usage(self, "--pod goes with list, and lists all");
		if (o.quiet)
			be_quiet();
		return actions[i].run(self, &o);
	}
	return cli_usage(self, "no action \"%s\"; there are list, install, keep, remove, test",
			 action);
}

const struct cli_command cmd_emulators = {
	.name = "emulators",
	.operands = "[list | install ARCH... | keep | remove ARCH... | test] [ARCH...]",
	.summary = "list, register, remove and try emulators for foreign programs",
	.text = "install registers a statically linked emulator found on this node with "
		"binfmt_misc, now and\n"
		"after every boot (" BOOT_DIR
		"): qemu-user, or another kind by --emulator. One that is dynamically\n"
		"linked, foreign, not executable or does not work, also in a container's root, is "
		"refused, and what\n"
		"was registered stays. So does a handler of another kind that somebody else "
		"registered, such as\n"
		"Rosetta's: if it works there is nothing to do, or --force says that it is not "
		"wanted. keep registers again\n"
		"what install made and what is gone since, counted in " REARMED_FILE
		". remove takes\n"
		"away only what install made. ARCH is a name like arm64 or s390x, or \"all\".\n"
		"test runs a tiny built-in program of each architecture.\n"
		"\n"
		"Examples:\n"
		"  crossarch emulators\n"
		"  crossarch emulators list --pod\n"
		"  crossarch emulators install s390x riscv64\n"
		"  crossarch emulators install --path /opt/qemu/bin all\n"
		"  crossarch emulators install amd64 --emulator box64\n"
		"  crossarch emulators test arm64 && echo arm64 works\n"
		"  crossarch emulators remove s390x\n",
	.run = run_emulators,
};
