/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stepped: stands beside a shim under the name of the command line, which is there as
 * crossarch.real. The subcommand that the file `subcommand` names is run under strace with the
 * injection in the file `inject`, so that it is killed or stopped at one of its system calls;
 * without that file, and for all others, nothing is between. What strace saw is in the file
 * `trace`.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARGS 64

/* The first line of the file @name in @dir; false: there is none. */
static int line_of(const char *dir, const char *name, char *line, size_t size)
{
	char path[PATH_MAX + 32];
	FILE *f;
	int there;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	there = fgets(line, (int)size, f) != NULL;
	fclose(f);
	line[there ? strcspn(line, "\n") : 0] = 0;
	return there;
}

int main(int argc, char **argv)
{
	char self[PATH_MAX] = "", real[PATH_MAX + 32], trace[PATH_MAX + 32];
	char subcommand[80], inject[200], call[80];
	char *args[ARGS + 16] = { "strace", "-D",  "-f", "-qq", "-s", "64",
				  "-o",	    trace, "-e", call,	"-e", inject };
	const char *dir;
	int n = 12;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || argc > ARGS)
		return 127;
	dir = dirname(self);
	snprintf(real, sizeof(real), "%s/crossarch.real", dir);
	snprintf(trace, sizeof(trace), "%s/trace", dir);
	argv[0] = real;
	if (argc < 2 || !line_of(dir, "subcommand", subcommand, sizeof(subcommand)) ||
	    strcmp(argv[1], subcommand) != 0 || !line_of(dir, "inject", inject, sizeof(inject))) {
		execv(real, argv);
		return 127;
	}
	/* "inject=sendmsg:signal=KILL:when=3" */
	snprintf(call, sizeof(call), "trace=%.*s", (int)strcspn(inject + 7, ":"), inject + 7);
	for (int i = 0; i < argc; i++)
		args[n++] = argv[i];
	execv("/usr/bin/strace", args);
	return 127;
}
