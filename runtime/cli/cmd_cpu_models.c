/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_levels.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/emulator_level.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/level_judge.h"
#include "runtime/cli/subprocess.h"
#include "runtime/cli/trial_program.h"
#include "runtime/plan/diagnosis.h"

/*
 * The processors an emulator can imitate, in its own words. Whether it takes a model is found out
 * by running the built-in program with it: that covers features after a comma as well.
 */
#define LIST_MAX_BYTES (64u << 10)
#define TIMEOUT_MS 5000

struct options {
	const char *arch, *model; /* NULL without */
	bool machine;
	const char *handler, *program;
	uint64_t level, image_level;
};

/* Runs the interpreter at @path with "-cpu @model" and perhaps the program that is open as @fd. */
static int ask_qemu(const char *path, const char *model, int fd, struct buf *out,
		    struct subprocess_result *ret, struct err *err)
{
	char program[32] = "", name[] = "qemu", option[] = "-cpu";
	char *argv[] = { name, option, (char *)(uintptr_t)model, fd >= 0 ? program : NULL, NULL };
	struct subprocess run = {
		.path = path,
		.argv = argv,
		.keep_fd = fd,
		.timeout_ms = TIMEOUT_MS,
		.out = out,
		.with_stderr = true,
	};

	(void)str_fmt(program, sizeof(program), "/proc/self/fd/%d", fd);
	return subprocess_run(&run, ret, err);
}

/*
 * The model of one line of "-cpu help", its length in *ret_n, 0 without one. Some targets put the
 * family first, and quotes around the name.
 */
static const char *model_of(const char *line, size_t *ret_n)
{
	static const char *const families[] = { "PowerPC", "s390", "x86", "MIPS", "Sparc" };
	bool family;

	do {
		line += strspn(line, " \t'");
		*ret_n = strcspn(line, " \t'\n");
		family = false;
		for (size_t i = 0; i < ARRAY_SIZE(families); i++)
			family |= strlen(families[i]) == *ret_n &&
				  memcmp(families[i], line, *ret_n) == 0;
		line += family ? *ret_n : 0;
	} while (family);
	return line;
}

/* The models of @text, as many as fit, separated by commas; how many did not in *ret_left. */
static void list_models(const char *text, char *out, size_t size, size_t *ret_left)
{
	size_t n = 0, length, len;
	const char *line;

	*ret_left = 0;
	out[0] = '\0';
	while (str_line(&text, &line, &length)) {
		const char *model = model_of(line, &len);
		bool heading = length && line[length - 1] == ':';

		if (heading && n)
			return; /* what follows are features */
		if (!heading && len && !*ret_left &&
		    str_fmt(out + n, size - n, "%s%.*s", n ? ", " : "", (int)len, model)) {
			n += strlen(out + n);
		} else if (!heading && len) {
			out[n] = '\0';
			++*ret_left;
		}
	}
}

static int print_line(const struct options *o, const char *label, const char *words,
		      const char *models, size_t left)
{
	char line[DIAGNOSIS_MAX + 2], more[64] = "";

	if (left)
		(void)str_fmt(more, sizeof(more), " and %zu more", left);
	if (!str_fmt(line, sizeof(line),
		     "crossarch[bad-config]: the processor model \"%.60s\" is set for linux/%s; "
		     "qemu refuses it (%.100s). It has %s%s. Fix: set io.crossarch.cpu, or \"cpu\" "
		     "in the configuration, to one of those (crossarch cpu-models %s).\n",
		     o->model, label, words, models, more, label))
		return CLI_FAILED;
	if (fd_write_all(STDOUT_FILENO, line, strlen(line)) < 0)
		return CLI_USAGE;
	return CLI_FAILED;
}

/* qemu's first line without the program's name in front. */
static void first_words(const char *text, char *ret, size_t size)
{
	size_t n = strcspn(text, "\n");
	const char *colon = str_after(text, "qemu") ? memchr(text, ':', n) : NULL;

	if (colon && colon[1] == ' ') {
		n -= (size_t)(colon + 2 - text);
		text = colon + 2;
	}
	(void)str_fmt(ret, size, "%.*s", (int)(n < 100 ? n : 100), text);
}

static int judge(const struct options *o, const struct arch *a, const char *path, struct err *err)
{
	CLEANUP_BUF struct buf said = BUF_INIT(LIST_MAX_BYTES);
	CLEANUP_BUF struct buf help = BUF_INIT(LIST_MAX_BYTES);
	CLEANUP_FD int fd = -1;
	char models[520], words[128];
	struct subprocess_result result;
	size_t left;

	if (trial_open(a, &fd, err) < 0 || ask_qemu(path, o->model, fd, &said, &result, err) < 0)
		return -1;
	first_words(buf_str(&said), words, sizeof(words));
	if (result.end != SUBPROCESS_EXITED || result.value == TRIAL_STATUS || !words[0])
		return CLI_DONE;
	if (ask_qemu(path, "help", -1, &help, &result, err) < 0)
		return -1;
	list_models(buf_str(&help), models, sizeof(models), &left);
	return print_line(o, arch_label(a), words, models, left);
}

/* What programs of amd64 are built for is a level, not a model. */
static void print_level(const struct arch *a, const char *path, const char *model)
{
	unsigned int level;
	struct err ignored;

	if (str_eq(a->name, "amd64") &&
	    emulator_level(LEVELS_FILE, path, model ? model : "", &level, &ignored) == 0 && level)
		printf("%s: x86-64-v%u\n", model ? model : "without a model", level);
}

static int print_all(const struct arch *a, const char *path, struct err *err)
{
	CLEANUP_BUF struct buf help = BUF_INIT(LIST_MAX_BYTES);
	struct subprocess_result result;

	if (ask_qemu(path, "help", -1, &help, &result, err) < 0)
		return -1;
	fputs(buf_str(&help), stdout);
	print_level(a, path, NULL);
	return CLI_DONE;
}

static int answer_person(const struct options *o, const struct arch *a, const char *path,
			 struct err *err)
{
	int rc;

	if (!o->model)
		return print_all(a, path, err);
	rc = judge(o, a, path, err);
	if (rc == CLI_DONE)
		print_level(a, path, o->model);
	return rc;
}

/* The model first: of one that the emulator does not have it cannot say a level. */
static int answer_machine(const struct options *o, const struct node *n, const struct arch *a,
			  const char *path)
{
	const struct level_question q = {
		.handler = o->handler,
		.program = o->program,
		.model = o->model ? o->model : "",
		.program_level = (unsigned int)o->level,
		.image_level = (unsigned int)o->image_level,
	};
	char line[DIAGNOSIS_MAX + 2];
	struct err ignored;

	if (o->model && path && judge(o, a, path, &ignored) == CLI_FAILED)
		return CLI_FAILED;
	if (!str_eq(a->name, "amd64") || !(q.program_level || q.image_level) ||
	    !level_refused(n, &q, line))
		return CLI_DONE;
	return puts(line) < 0 ? CLI_USAGE : CLI_FAILED;
}

static int answer(const struct cli_command *self, const struct options *o)
{
	CLEANUP_NODE struct node node = NODE_INIT;
	const struct arch *a = arch_by_name(o->arch, strlen(o->arch));
	const struct emulator *e;
	const char *path;
	struct err err;
	bool other;
	int rc;

	if (!a)
		return cli_usage(self, "no architecture \"%s\"", o->arch);
	if (node_read(&node, &err) < 0)
		return cli_fail(self, "%s", err.text);
	e = emulator_for(&node, a);
	/* The others have no such option, and would take it for a program's name. */
	other = e && emulator_kind_is_other(e->kind);
	path = e && e->entry->interpreter[0] == '/' ? e->entry->interpreter : NULL;
	if (o->machine)
		return other ? CLI_DONE : answer_machine(o, &node, a, path);
	if (!path)
		return cli_fail(self, "this node has no emulator for %s", o->arch);
	if (other)
		return cli_fail(self, "%s runs %s here (%s): it has no models", e->kind->label,
				o->arch, e->entry->name);
	rc = answer_person(o, a, path, &err);
	return rc >= 0 ? rc : cli_fail(self, "%s", err.text);
}

static int run_cpu_models(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .handler = "", .program = "" };
	const struct cli_option options[] = {
		{ "machine", 0, CLI_FLAG, &o.machine, NULL,
		  "for the shim: what is not known passes" },
		{ "level", 0, CLI_NUMBER, &o.level, "N",
		  "with --machine: a program needs x86-64-vN" },
		{ "image-level", 0, CLI_NUMBER, &o.image_level, "N",
		  "with --machine: its image declares amd64/vN" },
		{ "program", 0, CLI_STRING, &o.program, "TEXT", "its name" },
		{ "handler", 0, CLI_STRING, &o.handler, "NAME",
		  "the handler of binfmt_misc that takes it" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 1, 2, argc, argv, &operands, &status))
		return status;
	if (o.level > 4 || o.image_level > 4)
		return cli_usage(self, "levels are 1 to 4");
	o.arch = operands.v[0];
	o.model = operands.n > 1 ? operands.v[1] : NULL;
	return answer(self, &o);
}

const struct cli_command cmd_cpu_models = {
	.name = "cpu-models",
	.operands = "ARCH [MODEL]",
	.summary = "processors an emulator can imitate, or whether it has one of them",
	.text = "Asks the registered emulator itself. With MODEL the built-in program is run on "
		"it: "
		"exit status\n"
		"0 when qemu takes the model, 1 and one line when not. For amd64 the x86-64 level "
		"is said\n"
		"that programs find there.\n"
		"\n"
		"Examples:\n"
		"  crossarch cpu-models arm64\n"
		"  crossarch cpu-models arm64 cortex-a72\n",
	.run = run_cpu_models,
};
