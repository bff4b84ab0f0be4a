/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/arch/table.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/config_containerd.h"
#include "runtime/cli/config_place.h"
#include "runtime/cli/containerd_config.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/handler_settings.h"
#include "runtime/cli/output.h"

#define ARCHS_MAX 32
#define PATIENCE_S 60

struct options {
	struct config_options containerd;
	bool nfd, quiet;
	const struct cli_operands *operands; /* the first one is what to configure */
};

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

/* Which belongs to which; CLI_DONE when all is well. */
static int check_usage(const struct cli_command *self, const struct options *o)
{
	const struct config_options *c = &o->containerd;
	const char *what = o->operands->v[0];
	bool kubernetes = str_eq(what, "kubernetes");

	if (!kubernetes && !str_eq(what, "containerd") && !str_eq(what, "distribution"))
		return cli_usage(self, "configure what? containerd, kubernetes or distribution");
	if (c->write && c->remove)
		return cli_usage(self, "--write or --remove, not both");
	if (o->nfd && !kubernetes)
		return cli_usage(self, "--nfd is for kubernetes");
	if (kubernetes && (c->write || c->remove))
		return cli_usage(self, "kubernetes only prints; pipe it into kubectl apply -f -");
	if (!str_eq(what, "containerd") && (c->is_default || c->emulation || c->restart))
		return cli_usage(self, "--default, --emulation and --restart are for containerd");
	if (c->restart && !c->write && !c->remove)
		return cli_usage(self, "--restart goes with --write or --remove");
	if (c->emulation && !str_eq(c->emulation, "never"))
		return cli_usage(self, "--emulation knows \"never\" only");
	if (c->emulation && !c->is_default)
		return cli_usage(self, "--emulation never goes with --default");
	return CLI_DONE;
}

/* In lines for scripts: a word, and what it stands for. */
static int show_distribution(const struct cli_command *self, const struct config_options *o)
{
	CLEANUP_INSTALLATION struct installation n = { .distribution = NULL };
	struct config_places places;
	struct err err = ERR_INIT;

	if (installation_find(o->distribution, o->socket, &n, &err) < 0 ||
	    config_places_find(&n, &places, &err) < 0)
		return err.code == ERR_INVALID ? cli_usage(self, "%s", err.text)
					       : cli_fail(self, "%s", err.text);
	printf("distribution %s\nsocket %s\nconfig %s\nplace %s\nrestart %s\n",
	       n.distribution->name, n.socket, n.containerd.config, places.list[0].path,
	       n.distribution->by_itself ? "" : n.restart);
	return CLI_DONE;
}

static int dispatch(const struct cli_command *self, struct options *o)
{
	const char *what = o->operands->v[0];
	const struct arch *archs[ARCHS_MAX];
	size_t n;

	if (o->quiet)
		be_quiet();
	if (check_usage(self, o) != CLI_DONE ||
	    read_archs(self, o->operands, archs, &n) != CLI_DONE)
		return CLI_USAGE;
	o->containerd.archs = archs;
	o->containerd.n_archs = n;
	if (str_eq(what, "kubernetes"))
		return config_kubernetes(o, archs, n);
	if (str_eq(what, "distribution"))
		return show_distribution(self, &o->containerd);
	return config_containerd(self, &o->containerd);
}

static int run_config(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .containerd = { .settings = HANDLER_SETTINGS_DIR,
					     .patience_s = PATIENCE_S } };
	struct config_options *c = &o.containerd;
	const struct cli_option options[] = {
		{ "write", 'w', CLI_FLAG, &c->write, NULL,
		  "containerd: install it, with a backup" },
		{ "remove", 'r', CLI_FLAG, &c->remove, NULL,
		  "containerd: take out what --write put there" },
		{ "restart", 'R', CLI_FLAG, &c->restart, NULL,
		  "have it loaded, and put all back if containerd does not come back" },
		{ "patience", 0, CLI_NUMBER, &c->patience_s, "S",
		  "seconds that containerd may take to come back (60)" },
		{ "default", 0, CLI_FLAG, &c->is_default, NULL,
		  "also for every pod that names no class" },
		{ "emulation", 0, CLI_STRING, &c->emulation, "never",
		  "with --default: refuse, and never emulate" },
		INSTALLATION_OPTIONS(c->socket, c->distribution),
		{ "file", 'f', CLI_STRING, &c->file, "FILE",
		  "containerd's main file, if it is not the one it runs with" },
		{ "settings", 's', CLI_STRING, &c->settings, "DIR",
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
	.operands = "containerd | kubernetes | distribution [ARCH...]",
	.summary = "print or install what containerd and Kubernetes need",
	.text = "containerd prints the lines that are right for the containerd of this node, in "
		"the "
		"form and\n"
		"at the place that its distribution takes them: a drop-in where its configuration "
		"imports a\n"
		"directory of them (conf.d, k3s, RKE2), k3s' and RKE2's template, k0s' "
		"containerd.d,\n"
		"MicroK8s' template, nodeadm's NodeConfig for EKS, else the main file. --write "
		"puts "
		"them there\n"
		"once containerd itself has loaded the result and lost nothing by them; --remove "
		"takes them out\n"
		"again, and the backup with it when the file is as it was.\n"
		"distribution prints what was found out: name, socket, files, and the command that "
		"restarts it.\n"
		"--distribution says it instead.\n"
		"With --default every pod that names no class gets crossarch as well: its native "
		"programs run\n"
		"as before, and the others say why they do not. --emulation never is for nodes "
		"that are to\n"
		"say so and emulate nothing. --remove undoes both; --remove --default only the "
		"default.\n"
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
		"  crossarch config containerd --write --restart\n"
		"  crossarch config containerd --write --restart arm64 riscv64\n"
		"  crossarch config containerd --write --default && systemctl restart containerd\n"
		"  crossarch config containerd --remove --restart\n"
		"  crossarch config kubernetes | kubectl apply -f -\n"
		"  crossarch config kubernetes arm64 riscv64 | kubectl apply -f -\n"
		"  crossarch config kubernetes --nfd arm64 | kubectl apply -f -\n",
	.run = run_config,
};
