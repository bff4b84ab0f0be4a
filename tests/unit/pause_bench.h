/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/str.h"

/* A directory with a crossarch-pause that does what a test says. Include it after cmocka.h. */

/* Makes the directory, whose name @ret gets. */
static inline void pause_bench_init(char ret[64])
{
	strcpy(ret, "/tmp/crossarch-pause-XXXXXX");
	assert_non_null(mkdtemp(ret));
}

static inline void pause_bench_deinit(const char *dir)
{
	char command[128];

	str_fmt(command, sizeof(command), "rm -rf --one-file-system %s", dir);
	assert_int_equal(system(command), 0);
}

/* Holds nothing, and tells its own number. */
#define PAUSE_GOOD "echo $$ >&3; exec 3>&-; exec sleep 100"
/* The same, with the number of a child, which becomes ours. */
#define PAUSE_FIRST "sleep 100 3>&- & echo $! >&3"
/* Says nothing. */
#define PAUSE_SILENT "exec sleep 100"

/* From now on it is this shell script. */
static inline void pause_bench_write(const char *dir, const char *script)
{
	char path[96];
	FILE *f;

	str_fmt(path, sizeof(path), "%s/crossarch-pause", dir);
	unlink(path);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0755), 0);
}
