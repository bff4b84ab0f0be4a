/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/arch/table.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/containerd_handler.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/output.h"

struct options {
	const char *socket, *file;
	bool write, remove, nfd, quiet;
	const struct cli_operands *operands; /* the first one is what to configure */
};

/* --- containerd ------------------------------------------------------------------------------ */

static int print_handler(const struct containerd *c, const struct handler_edit *s)
{
	if (s->old[0])
		printf("# For containerd %s, in %s in the place of the handler that is there (%s); "
		       "or let \"crossarch config containerd --write\" do it.\n%s",
		       s->version, c->config, s->lack, s->text);
	else
		printf("# For containerd %s, at the end of %s; or let \"crossarch config "
		       "containerd "
		       "--write\" do it.\n%s",
		       s->version, c->config, s->text);
	return CLI_DONE;
}

static int write_handler(const struct cli_command *self, const struct containerd *c,
			 const struct handler_edit *s)
{
	char backup[PATH_MAX];
	struct err err = ERR_INIT;

	if (handler_edit_install(c, s, backup, sizeof(backup), &err) < 0)
		return cli_fail(self, "%s. %s is as it was.", err.text, c->config);
	if (s->old[0])
		printf("changed the handler crossarch in %s\n", c->config);
	else
		printf("added the handler crossarch to %s\n", c->config);
	if (*backup)
		printf("the file as it was: %s\n", backup);
	printf("To use it: systemctl restart containerd (running pods are not affected)\n");
	return CLI_DONE;
}

/* The handler is there; what it lacks nevertheless is for a person to decide. */
static int show_present(const struct containerd *c, const struct handler_edit *s)
{
	const char *name = handler_ours(&s->config)->name;

	printf("# containerd %s has the handler %s already (%s). Nothing to do.\n", s->version,
	       name, c->config);
	if (s->lack)
		printf("# But: %s. As it was not written by \"--write\", it is left alone; take "
		       "it out to have one written.\n",
		       s->lack);
	return CLI_DONE;
}

static int remove_handler(const struct cli_command *self, const struct containerd *c,
			  struct handler_edit *s)
{
	enum handler_removed how;
	struct err err = ERR_INIT;

	if (handler_edit_read(c, s, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (!handler_ours(&s->config)) {
		printf("# containerd %s has no handler of crossarch (%s). Nothing to do.\n",
		       s->version, c->config);
		return CLI_DONE;
	}
	if (handler_edit_remove(c, s, &how, &err) < 0)
		return cli_fail(self, "%s. %s is as it was.", err.text, c->config);
	printf("took the handler crossarch out of %s%s\n", c->config,
	       how == HANDLER_AS_BEFORE ? ", which is as it was before it came" : "");
	printf("To be rid of it: systemctl restart containerd (running pods are not affected)\n");
	return CLI_DONE;
}

static int config_containerd(const struct cli_command *self, const struct options *o)
{
	CLEANUP_CONTAINERD struct containerd c = { .path = NULL };
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	struct err err = ERR_INIT;

	if (containerd_find(o->socket, &c, &err) < 0)
		return cli_fail(self,
				"%s. Install or start containerd, or name its socket with "
				"--address.",
				err.text);
	if (o->file && (o->file[0] != '/' || !str_copy(c.config, sizeof(c.config), o->file)))
		return cli_usage(self, "--file wants an absolute path");
	if (o->remove)
		return remove_handler(self, &c, &s);
	if (handler_edit_plan(&c, &s, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (!s.text[0])
		return show_present(&c, &s);
	return o->write ? write_handler(self, &c, &s) : print_handler(&c, &s);
}

/* --- kubernetes ------------------------------------------------------------------------------ */

static void print_class(const char *suffix)
{
	printf("apiVersion: node.k8s.io/v1\n"
	       "kind: RuntimeClass\n"
	       "metadata:\n"
	       "  name: crossarch%s\n"
	       "handler: crossarch\n"
	       "overhead:\n"
	       "  podFixed:\n"
	       "    # Measured: each emulated process takes 12 MiB before its program does "
	       "anything,\n"
	       "    # 5 of them its own; Python takes 35 where it has 8 natively.\n"
	       "    memory: 32Mi\n"
	       "    cpu: 20m\n",
	       suffix);
}

/* Where nobody sets these labels, a pod with such a selector waits for ever. */
static void print_selector(const struct arch *const *archs, size_t n)
{
	printf("scheduling:\n"
	       "  nodeSelector:\n"
	       "    # Set by node-feature-discovery from the file that \"crossarch labels "
	       "--write\" makes.\n"
	       "    " LABEL_PREFIX LABEL_READY ": \"true\"\n");
	for (size_t i = 0; i < n; i++)
		printf("    " LABEL_PREFIX LABEL_EMULATOR "%s: \"true\"\n", arch_label(archs[i]));
}

static int config_kubernetes(const struct cli_command *self, const struct options *o)
{
	const struct arch *archs[32];
	char suffix[64] = "";
	size_t n = 0;

	for (size_t i = 1; i < o->operands->n && n < ARRAY_SIZE(archs); i++) {
		const char *name = o->operands->v[i];

		archs[n] = arch_by_name(name, strlen(name));
		if (!archs[n])
			return cli_usage(self, "no architecture \"%s\"", name);
		n++;
	}
	if (n && !o->nfd)
		return cli_usage(self, "to select nodes by emulator takes the labels of "
				       "node-feature-discovery: add --nfd where it runs");
	if (n == 1)
		(void)str_fmt(suffix, sizeof(suffix), "-%s", arch_label(archs[0]));
	print_class(suffix);
	if (o->nfd)
		print_selector(archs, n);
	return CLI_DONE;
}

/* --- the command ----------------------------------------------------------------------------- */

static int dispatch(const struct cli_command *self, const struct options *o)
{
	const char *what = o->operands->v[0];

	if (o->quiet)
		be_quiet();
	if (o->write && o->remove)
		return cli_usage(self, "--write or --remove, not both");
	if (o->nfd && !str_eq(what, "kubernetes"))
		return cli_usage(self, "--nfd is for kubernetes");
	if (str_eq(what, "containerd") && o->operands->n == 1)
		return config_containerd(self, o);
	if (str_eq(what, "kubernetes") && !o->write && !o->remove)
		return config_kubernetes(self, o);
	return cli_usage(self, str_eq(what, "kubernetes") ? "kubernetes only prints; pipe it into "
							    "kubectl apply -f -"
							  : "configure what? containerd or "
							    "kubernetes [--nfd [ARCH...]]");
}

static int run_config(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .socket = CONTAINERD_SOCKET };
	const struct cli_option options[] = {
		{ "write", 'w', CLI_FLAG, &o.write, NULL, "containerd: install it, with a backup" },
		{ "remove", 'r', CLI_FLAG, &o.remove, NULL,
		  "containerd: take out what --write put there" },
		{ "address", 'a', CLI_STRING, &o.socket, "SOCK",
		  "containerd's socket (" CONTAINERD_SOCKET ")" },
		{ "file", 'f', CLI_STRING, &o.file, "FILE",
		  "containerd's main file, if it is not the one it runs with" },
		{ "nfd", 0, CLI_FLAG, &o.nfd, NULL,
		  "kubernetes: select nodes by the labels of node-feature-discovery" },
		{ "quiet", 'q', CLI_FLAG, &o.quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 1, 33, argc, argv, &operands, &status))
		return status;
	o.operands = &operands;
	return dispatch(self, &o);
}

const struct cli_command cmd_config = {
	.name = "config",
	.operands = "containerd | kubernetes [--nfd [ARCH...]]",
	.summary = "print or install what containerd and Kubernetes need",
	.text = "containerd prints the lines that are right for the containerd that runs here, and "
		"for the\n"
		"version of its file. --write adds them to the main file once containerd itself "
		"has loaded\n"
		"the result and lost nothing by them; --remove takes them out again, and the "
		"backup "
		"with it when\n"
		"the file is as it was.\n"
		"kubernetes prints a RuntimeClass for any cluster. With --nfd it selects the nodes "
		"that\n"
		"\"crossarch labels --write\" has described to node-feature-discovery, with ARCH "
		"those where\n"
		"that emulator works; without node-feature-discovery such pods stay Pending.\n"
		"\n"
		"Examples:\n"
		"  crossarch config containerd\n"
		"  crossarch config containerd --write && systemctl restart containerd\n"
		"  crossarch config containerd --remove && systemctl restart containerd\n"
		"  crossarch config kubernetes | kubectl apply -f -\n"
		"  crossarch config kubernetes --nfd arm64 | kubectl apply -f -\n",
	.run = run_config,
};
