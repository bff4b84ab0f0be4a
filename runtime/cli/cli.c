/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/err.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/plan/line_text.h"

#define OPTIONS_MAX 48
#define HELP_COLUMN 34
#define MESSAGE_MAX 2048

/* --- messages -------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void say(const struct cli_command *command,
						      const char *fmt, va_list ap)
{
	char text[MESSAGE_MAX], safe[MESSAGE_MAX];
	struct text t;

	/* It may quote what containerd, an archive or an image says. */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text_init(&t, safe, sizeof(safe));
	text_name(&t, text, sizeof(safe) - 1);
	fprintf(stderr, "%s %s: %s\n", program_invocation_short_name, command->name, safe);
}

int cli_fail(const struct cli_command *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(command, fmt, ap);
	va_end(ap);
	return CLI_FAILED;
}

int cli_usage(const struct cli_command *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(command, fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try \"%s %s --help\".\n", program_invocation_short_name, command->name);
	return CLI_USAGE;
}

/* --- help ------------------------------------------------------------------------------------ */

static void print_option(const struct cli_option *o)
{
	char left[96], letter[8] = "    ";

	if (o->letter)
		str_fmt(letter, sizeof(letter), "-%c, ", o->letter);
	str_fmt(left, sizeof(left), "  %s--%s%s%s", letter, o->name, o->arg ? " " : "",
		o->arg ? o->arg : "");
	printf("%-*s %s%s\n", HELP_COLUMN, left, o->help,
	       o->kind == CLI_LIST ? " (any number of times)" : "");
}

static void print_command_help(const struct cli_command *command, const struct cli_option *options)
{
	printf("Usage: %s %s%s%s%s\n\n%c%s.\n", program_invocation_short_name, command->name,
	       options->name ? " [OPTIONS]" : "", *command->operands ? " " : "", command->operands,
	       command->summary[0] & ~0x20, command->summary + 1);
	if (options->name)
		puts("\nOptions:");
	for (const struct cli_option *o = options; o->name; o++)
		print_option(o);
	if (command->text)
		printf("\n%s", command->text);
}

static void print_program_help(const struct cli_program *program)
{
	printf("Usage: %s COMMAND [OPTIONS] [OPERANDS]\n\n%s\n\nCommands:\n", program->name,
	       program->summary);
	for (size_t i = 0; program->commands[i]; i++)
		if (!program->commands[i]->internal)
			printf("  %-16s %s\n", program->commands[i]->name,
			       program->commands[i]->summary);
	printf("\n\"%s COMMAND --help\" explains one.\n", program->name);
	if (program->text)
		printf("\n%s", program->text);
}

/* --- options --------------------------------------------------------------------------------- */

/* getopt's own form of a table: long options in order, and the string of short ones. */
struct getopt_tables {
	struct option longs[OPTIONS_MAX + 2];
	char shorts[2 * OPTIONS_MAX + 4];
};

/* Values above any character: getopt returns FIRST_LONG + index for each long option. */
#define FIRST_LONG 256

static void tables_fill(struct getopt_tables *t, const struct cli_option *options)
{
	size_t n = 0, at = 0;

	t->shorts[at++] = ':'; /* a missing value is reported by us */
	for (; options[n].name; n++) {
		int has_arg = options[n].kind == CLI_FLAG ? no_argument : required_argument;

		ASSERT(n < OPTIONS_MAX);
		t->longs[n] =
			(struct option){ options[n].name, has_arg, NULL, FIRST_LONG + (int)n };
		if (!options[n].letter)
			continue;
		t->shorts[at++] = options[n].letter;
		if (has_arg)
			t->shorts[at++] = ':';
	}
	t->longs[n] = (struct option){ "help", no_argument, NULL, 'h' };
	t->longs[n + 1] = (struct option){ NULL, 0, NULL, 0 };
	t->shorts[at++] = 'h';
	t->shorts[at] = '\0';
}

static const struct cli_option *option_of(const struct cli_option *options, int c)
{
	if (c >= FIRST_LONG)
		return &options[c - FIRST_LONG];
	for (const struct cli_option *o = options; o->name; o++)
		if (o->letter == c)
			return o;
	return NULL;
}

static int option_set(const struct cli_option *o, const char *value, struct err *err)
{
	struct cli_list *list = o->into;

	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)o->into = true;
		return 0;
	case CLI_STRING:
		*(const char **)o->into = value;
		return 0;
	case CLI_NUMBER:
		return str_u64(value, "value", UINT64_MAX, o->into, err);
	case CLI_LIST:
		if (list->n == CLI_LIST_MAX)
			return err_set(err, ERR_LIMIT, "more than %d of them", CLI_LIST_MAX);
		list->item[list->n++] = value;
		return 0;
	}
	return err_set(err, ERR_INVALID, "option --%s has no kind", o->name);
}

/* What getopt refused, in the words the person typed. */
static int refuse(const struct cli_command *command, int c, char **argv)
{
	const char *typed = argv[optind - 1];

	if (c == ':')
		return cli_usage(command, "option \"%s\" needs a value", typed);
	if (optopt >= FIRST_LONG)
		return cli_usage(command, "option \"%s\" takes no value", typed);
	return cli_usage(command, "no option \"%s\"", typed);
}

static bool parse_one(const struct cli_command *command, const struct cli_option *options, int c,
		      char **argv, int *ret_exit)
{
	const struct cli_option *o;
	struct err err = ERR_INIT;

	if (c == 'h') {
		print_command_help(command, options);
		*ret_exit = CLI_DONE;
		return false;
	}
	o = c == '?' || c == ':' ? NULL : option_of(options, c);
	if (!o)
		*ret_exit = refuse(command, c, argv);
	else if (option_set(o, optarg, &err) < 0)
		*ret_exit = cli_usage(command, "--%s: %s", o->name, err.text);
	else
		return true;
	return false;
}

bool cli_parse(const struct cli_command *command, const struct cli_option *options, size_t min,
	       size_t max, int argc, char **argv, struct cli_operands *ret, int *ret_exit)
{
	struct getopt_tables tables;
	int c;

	tables_fill(&tables, options);
	optind = 0; /* GNU: start over */
	opterr = 0;
	while ((c = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1)
		if (!parse_one(command, options, c, argv, ret_exit))
			return false;
	*ret = (struct cli_operands){ argv + optind, (size_t)(argc - optind) };
	if (ret->n >= min && ret->n <= max)
		return true;
	*ret_exit = cli_usage(command,
			      ret->n < min ? "it needs: %s" : "too many operands; it takes: %s",
			      *command->operands ? command->operands : "none");
	return false;
}

/* --- program --------------------------------------------------------------------------------- */

static const struct cli_command *find(const struct cli_program *program, const char *name)
{
	for (size_t i = 0; program->commands[i]; i++)
		if (str_eq(program->commands[i]->name, name))
			return program->commands[i];
	return NULL;
}

/* "help COMMAND" is "COMMAND --help". */
static int help_of(const struct cli_program *program, const char *name)
{
	const struct cli_command *command = name ? find(program, name) : NULL;
	char help[] = "--help";
	char *argv[] = { help, help, NULL };

	if (command)
		return command->run(command, 2, argv);
	print_program_help(program);
	return CLI_DONE;
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct cli_command *command;

	if (!name) {
		fprintf(stderr, "%s: no command. Try \"%s --help\".\n", program->name,
			program->name);
		return CLI_USAGE;
	}
	if (str_eq(name, "help") || str_eq(name, "--help") || str_eq(name, "-h"))
		return help_of(program, argc > 2 ? argv[2] : NULL);
	if (str_eq(name, "--version") || str_eq(name, "-V")) {
		printf("%s %s\n", program->name, program->version);
		return CLI_DONE;
	}
	command = find(program, name);
	if (command)
		return command->run(command, argc - 1, argv + 1);
	fprintf(stderr, "%s: no command \"%s\". \"%s --help\" lists them.\n", program->name, name,
		program->name);
	return CLI_USAGE;
}
