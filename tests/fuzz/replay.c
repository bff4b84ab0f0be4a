/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/fuzz/fuzz.h"

/* Runs the harness once over every file named, or in a directory named, and over nothing. */
static int replay(const char *path)
{
	CLEANUP_BUF struct buf bytes = BUF_INIT(16u << 20);
	struct err err;

	if (file_read(AT_FDCWD, path, &bytes, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 0;
	}
	(void)LLVMFuzzerTestOneInput(bytes.data, bytes.len);
	return 1;
}

static int replay_all(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	char name[PATH_MAX];
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
	int n = 0;

	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		n += replay_all(argv[i]);
	printf("%d inputs\n", n);
	return n > 0 || argc == 1 ? 0 : 1;
}
