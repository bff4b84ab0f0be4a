/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The frame of a command line program: a table of commands, and for each a table of options from
 * which both the parser and the help are made. `cri-client` of the tests uses it as well.
 */

/* What main() returns. Every command returns one of these, or the exit code of what it ran. */
enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* A list option: given any number of times. */
#define CLI_LIST_MAX 64
struct cli_list {
	const char *item[CLI_LIST_MAX];
	size_t n;
};

enum cli_kind {
	CLI_FLAG,   /* bool */
	CLI_STRING, /* const char *, points into argv */
	CLI_NUMBER, /* uint64_t */
	CLI_LIST,   /* struct cli_list */
};

/* One option; a table ends with a row without a name. */
struct cli_option {
	const char *name; /* without the dashes */
	char letter;	  /* short form, 0 without one */
	enum cli_kind kind;
	void *into;	 /* a variable of the kind, preset with the default */
	const char *arg; /* what the value is called in the help, NULL for a flag */
	const char *help;
};

struct cli_command {
	const char *name;
	const char *operands; /* "POD IMAGE [-- CMD ARGS]", "" without any */
	const char *summary;  /* one line, lower case, no full stop */
	const char *text;     /* paragraphs and examples below the options; NULL without */
	bool internal;	      /* not listed: not for people */
	int (*run)(const struct cli_command *self, int argc, char **argv);
};

struct cli_program {
	const char *name, *summary, *version;
	const char *text;			   /* after the list of commands; NULL without */
	const struct cli_command *const *commands; /* NULL-terminated */
};

/* What cli_parse() leaves to the command. */
struct cli_operands {
	char **v;
	size_t n;
};

/* The whole of main(): finds the command and runs it, or prints help or version. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/*
 * Reads the options of one command. True: go on with @ret, which holds between @min and @max
 * operands. False: the command is over and *ret_exit is what it returns (help was printed, or the
 * usage is wrong and stderr says how).
 */
bool cli_parse(const struct cli_command *command, const struct cli_option *options, size_t min,
	       size_t max, int argc, char **argv, struct cli_operands *ret, int *ret_exit);

/* Writes "NAME: message" to stderr; returns CLI_FAILED. The second form returns CLI_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_fail(const struct cli_command *command,
						   const char *fmt, ...);
__attribute__((format(printf, 2, 3))) int cli_usage(const struct cli_command *command,
						    const char *fmt, ...);
