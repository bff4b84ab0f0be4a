/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/arch/table.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/containerd_handler.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/handler_settings.h"
#include "runtime/cli/output.h"

#define ARCHS_MAX 32

struct options {
	const char *socket, *file, *settings;
	bool write, remove, nfd, quiet;
	const struct cli_operands *operands; /* the first one is what to configure */
};

/* --- containerd ------------------------------------------------------------------------------ */

/* One handler after the other: each edit finds what the one before it left. */
struct configuring {
	const struct cli_command *self;
	const struct options *o;
	struct containerd containerd;
	bool platforms; /* not only the handler for all is asked for */
	bool changed;	/* something was written or taken out */
	bool printed;	/* the text of a handler */
};

static void print_handler(struct configuring *g, const struct handler_edit *s)
{
	const char *config = g->containerd.config;

	if (s->old[0])
		printf("# For containerd %s, in %s in the place of the handler that is there (%s); "
		       "or let \"crossarch config containerd --write\" do it.\n",
		       s->version, config, s->lack);
	else if (!g->printed)
		printf("# For containerd %s, at the end of %s; or let \"crossarch config "
		       "containerd --write\" do it.\n",
		       s->version, config);
	if (s->arch)
		printf("# %s has at least { \"platform\": \"linux/%s\" } in it.\n", s->settings,
		       s->arch->name);
	printf("%s", s->text);
	g->printed = true;
}

static void tell_settings(const struct handler_edit *s)
{
	printf("made its settings %s, which begin as those of the node; what changes there later "
	       "has to be changed here as well\n",
	       s->settings);
}

static int write_handler(struct configuring *g, const struct handler_edit *s, struct err *err)
{
	const struct containerd *c = &g->containerd;
	char backup[PATH_MAX];

	if (handler_edit_install(c, s, backup, sizeof(backup), err) < 0)
		return err_in(err, "%s is as it was", c->config);
	if (s->old[0])
		printf("changed the handler %s in %s\n", s->name, c->config);
	else
		printf("added the handler %s to %s\n", s->name, c->config);
	if (*backup)
		printf("the file as it was: %s\n", backup);
	g->changed = true;
	return 0;
}

/* The file comes before the handler that names it, and goes again when there is no handler. */
static int write_both(struct configuring *g, const struct handler_edit *s, struct err *err)
{
	bool made = false;

	if (s->arch && handler_settings_write(s->settings, s->arch, &made, err) < 0)
		return -1;
	if (s->text[0] && write_handler(g, s, err) < 0) {
		if (made)
			(void)unlink(s->settings);
		return -1;
	}
	if (made)
		tell_settings(s);
	return 0;
}

/* The handler is there; what it lacks nevertheless is for a person to decide. */
static void show_present(const struct configuring *g, const struct handler_edit *s)
{
	const char *name = handler_edited(s, &s->config)->name;

	printf("# containerd %s has the handler %s already (%s). Nothing to do.\n", s->version,
	       name, g->containerd.config);
	if (s->lack)
		printf("# But: %s. As it was not written by \"--write\", it is left alone; take "
		       "it out to have one written.\n",
		       s->lack);
}

/* The handler for @a, NULL: the one for all. */
static int add_handler(struct configuring *g, const struct arch *a, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	char settings[256];

	if (a && handler_settings_path_of(g->o->settings, a, settings, sizeof(settings), err) < 0)
		return -1;
	s.arch = a;
	s.settings = a ? settings : NULL;
	s.no_backup = g->changed;
	s.after_another = g->printed;
	if (handler_edit_plan(&g->containerd, &s, err) < 0)
		return -1;
	if (!s.text[0] && (a || s.lack || !g->platforms))
		show_present(g, &s);
	if (g->o->write)
		return write_both(g, &s, err);
	if (s.text[0])
		print_handler(g, &s);
	return 0;
}

/* Before anything is written. */
static int check_directory(const struct options *o, const struct arch *const *archs, size_t n,
			   struct err *err)
{
	char path[256];

	for (size_t i = 0; i < n; i++)
		if (handler_settings_path_of(o->settings, archs[i], path, sizeof(path), err) < 0)
			return -1;
	return 0;
}

static int add_handlers(struct configuring *g, const struct arch *const *archs, size_t n)
{
	struct err err = ERR_INIT;
	int rc;

	g->platforms = n > 0;
	rc = check_directory(g->o, archs, n, &err);
	if (rc == 0)
		rc = add_handler(g, NULL, &err);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_handler(g, archs[i], &err);
	if (g->changed)
		printf("To use it: systemctl restart containerd (running pods are not affected)\n");
	return rc < 0 ? cli_fail(g->self, "%s", err.text) : CLI_DONE;
}

static int remove_settings(const char *path, const struct arch *a, struct err *err)
{
	bool left;

	if (!*path)
		return 0;
	if (handler_settings_remove(path, a, &left, err) < 0)
		return -1;
	if (left)
		printf("left %s: somebody has changed it, or the node's settings\n", path);
	return 0;
}

static int remove_handler(struct configuring *g, const struct arch *a, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	const char *config = g->containerd.config;
	const struct runtime_handler *ours;
	enum handler_removed how;
	char settings[256] = "";

	s.arch = a;
	if (handler_edit_read(&g->containerd, &s, err) < 0)
		return -1;
	ours = handler_edited(&s, &s.config);
	if (!ours) {
		printf("# containerd %s has no handler %s of ours (%s). Nothing to do.\n",
		       s.version, s.name, config);
		return 0;
	}
	if (a)
		(void)str_copy(settings, sizeof(settings), handler_settings_path(ours));
	if (handler_edit_remove(&g->containerd, &s, &how, err) < 0)
		return err_in(err, "%s is as it was", config);
	printf("took the handler %s out of %s%s\n", s.name, config,
	       how == HANDLER_AS_BEFORE ? ", which is as it was before it came" : "");
	g->changed = true;
	return remove_settings(settings, a, err);
}

/* Those for one platform that are there, the last one first. */
static int find_platforms(const struct configuring *g, const struct arch **ret, size_t max,
			  size_t *ret_n, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;

	*ret_n = 0;
	if (handler_edit_read(&g->containerd, &s, err) < 0)
		return -1;
	for (size_t i = s.main_config.n; i-- > 0;) {
		const struct runtime_handler *r = &s.main_config.runtimes[i];
		const struct arch *a = handler_is_ours(r) ? handler_arch(r->name) : NULL;

		if (a && *ret_n < max)
			ret[(*ret_n)++] = a;
	}
	return 0;
}

/* Without names all of them, the one that came first last. */
static int remove_handlers(struct configuring *g, const struct arch *const *archs, size_t n)
{
	const struct arch *all[ARCHS_MAX];
	struct err err = ERR_INIT;
	bool every = !n;
	int rc = 0;

	if (every) {
		rc = find_platforms(g, all, ARRAY_SIZE(all), &n, &err);
		archs = all;
	}
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = remove_handler(g, archs[i], &err);
	if (every && rc == 0)
		rc = remove_handler(g, NULL, &err);
	if (g->changed)
		printf("To be rid of it: systemctl restart containerd (running pods are not "
		       "affected)\n");
	return rc < 0 ? cli_fail(g->self, "%s", err.text) : CLI_DONE;
}

static int config_containerd(const struct cli_command *self, const struct options *o,
			     const struct arch *const *archs, size_t n)
{
	struct configuring g = { .self = self, .o = o };
	CLEANUP_CONTAINERD struct containerd c = { .path = NULL };
	struct err err = ERR_INIT;

	if (containerd_find(o->socket, &c, &err) < 0)
		return cli_fail(self,
				"%s. Install or start containerd, or name its socket with "
				"--address.",
				err.text);
	if (o->file && (o->file[0] != '/' || !str_copy(c.config, sizeof(c.config), o->file)))
		return cli_usage(self, "--file wants an absolute path");
	g.containerd = c; /* only looked at */
	return o->remove ? remove_handlers(&g, archs, n) : add_handlers(&g, archs, n);
}

/* --- kubernetes ------------------------------------------------------------------------------ */

/* Of the class and of the handler: @a NULL for the one that is for all. */
static void print_class(const struct arch *a)
{
	char name[HANDLER_NAME_MAX];

	handler_name(a, name);
	printf("apiVersion: node.k8s.io/v1\n"
	       "kind: RuntimeClass\n"
	       "metadata:\n"
	       "  name: %s\n"
	       "handler: %s\n"
	       "overhead:\n"
	       "  podFixed:\n"
	       "    # Measured: each emulated process takes 12 MiB before its program does "
	       "anything,\n"
	       "    # 5 of them its own; Python takes 35 where it has 8 natively.\n"
	       "    memory: 32Mi\n"
	       "    cpu: 20m\n",
	       name, name);
}

/* Where nobody sets these labels, a pod with such a selector waits for ever. */
static void print_selector(const struct arch *a)
{
	printf("scheduling:\n"
	       "  nodeSelector:\n"
	       "    # Set by node-feature-discovery from the file that \"crossarch labels "
	       "--write\" makes.\n"
	       "    " LABEL_PREFIX LABEL_READY ": \"true\"\n");
	if (a)
		printf("    " LABEL_PREFIX LABEL_RUNS "%s: \"true\"\n", arch_label(a));
}

static void print_document(const struct options *o, const struct arch *a)
{
	print_class(a);
	if (o->nfd)
		print_selector(a);
}

static int config_kubernetes(const struct options *o, const struct arch *const *archs, size_t n)
{
	if (!n)
		print_document(o, NULL);
	for (size_t i = 0; i < n; i++) {
		if (i)
			printf("---\n");
		print_document(o, archs[i]);
	}
	return CLI_DONE;
}

/* --- the command ----------------------------------------------------------------------------- */

/* Names of platforms, since a class is about what images have: those that OCI has, each once. */
static int read_archs(const struct cli_command *self, const struct cli_operands *operands,
		      const struct arch **ret, size_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 1; i < operands->n; i++) {
		const char *name = str_after(operands->v[i], "linux/");
		const struct arch *a;

		name = name ? name : operands->v[i];
		a = arch_by_name(name, strlen(name));
		if (!a || !a->oci)
			return cli_usage(self,
					 "no architecture of images \"%s\"; give names such "
					 "as arm64 and riscv64",
					 operands->v[i]);
		for (size_t k = 0; k < *ret_n; k++)
			if (ret[k] == a)
				return cli_usage(self, "%s stands there twice", a->name);
		ret[(*ret_n)++] = a;
	}
	return CLI_DONE;
}

static int dispatch(const struct cli_command *self, const struct options *o)
{
	const char *what = o->operands->v[0];
	const struct arch *archs[ARCHS_MAX];
	size_t n;

	if (o->quiet)
		be_quiet();
	if (o->write && o->remove)
		return cli_usage(self, "--write or --remove, not both");
	if (o->nfd && !str_eq(what, "kubernetes"))
		return cli_usage(self, "--nfd is for kubernetes");
	if (!str_eq(what, "kubernetes") && !str_eq(what, "containerd"))
		return cli_usage(self, "configure what? containerd or kubernetes");
	if (str_eq(what, "kubernetes") && (o->write || o->remove))
		return cli_usage(self, "kubernetes only prints; pipe it into kubectl apply -f -");
	if (read_archs(self, o->operands, archs, &n) != CLI_DONE)
		return CLI_USAGE;
	return str_eq(what, "kubernetes") ? config_kubernetes(o, archs, n)
					  : config_containerd(self, o, archs, n);
}

static int run_config(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .socket = CONTAINERD_SOCKET, .settings = HANDLER_SETTINGS_DIR };
	const struct cli_option options[] = {
		{ "write", 'w', CLI_FLAG, &o.write, NULL, "containerd: install it, with a backup" },
		{ "remove", 'r', CLI_FLAG, &o.remove, NULL,
		  "containerd: take out what --write put there" },
		{ "address", 'a', CLI_STRING, &o.socket, "SOCK",
		  "containerd's socket (" CONTAINERD_SOCKET ")" },
		{ "file", 'f', CLI_STRING, &o.file, "FILE",
		  "containerd's main file, if it is not the one it runs with" },
		{ "settings", 's', CLI_STRING, &o.settings, "DIR",
		  "where ARCH.json is (" HANDLER_SETTINGS_DIR ")" },
		{ "nfd", 0, CLI_FLAG, &o.nfd, NULL,
		  "kubernetes: select nodes by the labels of node-feature-discovery" },
		{ "quiet", 'q', CLI_FLAG, &o.quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 1, 1 + ARCHS_MAX, argc, argv, &operands, &status))
		return status;
	o.operands = &operands;
	return dispatch(self, &o);
}

const struct cli_command cmd_config = {
	.name = "config",
	.operands = "containerd | kubernetes [ARCH...]",
	.summary = "print or install what containerd and Kubernetes need",
	.text = "containerd prints the lines that are right for the containerd that runs here, and "
		"for the\n"
		"version of its file. --write adds them to the main file once containerd itself "
		"has loaded\n"
		"the result and lost nothing by them; --remove takes them out again, and the "
		"backup with it\n"
		"when the file is as it was.\n"
		"kubernetes prints a RuntimeClass for any cluster. With --nfd it selects the nodes "
		"that\n"
		"\"crossarch labels --write\" has described to node-feature-discovery, with ARCH "
		"those that\n"
		"run its programs, natively or emulated; without node-feature-discovery such pods "
		"stay Pending.\n"
		"\n"
		"With ARCH, a name such as arm64, there is a handler and a class crossarch-ARCH "
		"besides, whose\n"
		"pods get that platform of each image, without any annotation. Its settings are in "
		"a file of\n"
		"their own, " HANDLER_SETTINGS_DIR "/ARCH.json, which begins with the node's. One "
		"that is there\n"
		"stays; --remove removes it unless it was changed.\n"
		"\n"
		"Examples:\n"
		"  crossarch config containerd\n"
		"  crossarch config containerd --write && systemctl restart containerd\n"
		"  crossarch config containerd --write arm64 riscv64\n"
		"  crossarch config containerd --remove && systemctl restart containerd\n"
		"  crossarch config kubernetes | kubectl apply -f -\n"
		"  crossarch config kubernetes arm64 riscv64 | kubectl apply -f -\n"
		"  crossarch config kubernetes --nfd arm64 | kubectl apply -f -\n",
	.run = run_config,
};
