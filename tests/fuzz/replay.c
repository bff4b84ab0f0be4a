/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_NAME [FILE|DIRECTORY...]: runs the harness over every file, and over nothing. Without
 * arguments over its corpus, tests/fuzz/corpus/NAME. Prints TAP with one result.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/fuzz/fuzz.h"

/* The name is there before a crash is. The number of inputs. */
static int replay(const char *path)
{
	CLEANUP_BUF struct buf bytes = BUF_INIT(16u << 20);
	struct err err;

	if (file_read(AT_FDCWD, path, &bytes, &err) < 0) {
		printf("# %s\n", err.text);
		return 0;
	}
	printf("# %s\n", path);
	fflush(stdout);
	(void)LLVMFuzzerTestOneInput(bytes.data, bytes.len);
	return 1;
}

static int replay_all(const char *path)
{
	char name[PATH_MAX];
	struct dirent *d;
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return replay(path);
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.' && str_fmt(name, sizeof(name), "%s/%s", path, d->d_name))
			n += replay(name);
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	char corpus[PATH_MAX];
	int n = 0;

	name = str_after(name, "fuzz_") ? str_after(name, "fuzz_") : name;
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		n += replay_all(argv[i]);
	if (argc == 1 && str_fmt(corpus, sizeof(corpus), "tests/fuzz/corpus/%s", name))
		n = replay_all(corpus);
	printf("1..1\n%s 1 - %s: %d inputs\n", n ? "ok" : "not ok", name, n);
	return n ? 0 : 1;
}
