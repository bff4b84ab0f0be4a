/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/emulator_level.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_levels.h"
#include "runtime/cli/level_program.h"
#include "runtime/cli/subprocess.h"

#define TIMEOUT_MS 5000 /* as in cmd_cpu_models.c: a client of containerd waits */

static int ask(const char *path, const char *model, unsigned int *ret, struct err *err)
{
	CLEANUP_FD int fd = -1;
	char program[32], name[] = "qemu", option[] = "-cpu";
	char *with[] = { name, option, (char *)(uintptr_t)model, program, NULL };
	char *without[] = { name, program, NULL };
	struct subprocess run = {
		.path = path,
		.argv = *model ? with : without,
		.timeout_ms = TIMEOUT_MS,
	};
	struct subprocess_result result;

	if (level_program_open(&fd, err) < 0)
		return -1;
	(void)str_fmt(program, sizeof(program), "/proc/self/fd/%d", fd);
	run.keep_fd = fd;
	if (subprocess_run(&run, &result, err) < 0)
		return -1;
	*ret = result.end == SUBPROCESS_EXITED && result.value > LEVEL_STATUS &&
			       result.value <= LEVEL_STATUS + 4
		       ? (unsigned int)(result.value - LEVEL_STATUS)
		       : 0;
	return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* That it cannot be kept costs another question. Two at a time may lose one of their answers. */
static void keep(const char *file, const struct buf *old, const struct stat *st, const char *model,
		 unsigned int level)
{
	CLEANUP_BUF struct buf text = BUF_INIT(LEVELS_MAX_BYTES);
	char dir[PATH_MAX];
	struct err ignored;

	if (!str_fmt(dir, sizeof(dir), "%.*s", (int)(strrchr(file, '/') - file), file) ||
	    dir_make(dir, 0755, &ignored) < 0 ||
	    levels_add(buf_str(old), st, model, level, &text, &ignored) < 0)
		return;
	(void)!file_replace(AT_FDCWD, file, 0644, text.data, text.len, &ignored);
}

int emulator_level(const char *file, const char *path, const char *model, unsigned int *ret,
		   struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(LEVELS_MAX_BYTES);
	struct stat before, after;

	if (stat(path, &before) < 0)
		return err_sys(err, ERR_IO, "look at %s", path);
	levels_read(file, &text);
	*ret = levels_find(buf_str(&text), &before, model);
	if (*ret)
		return 0;
	if (ask(path, model, ret, err) < 0)
		return -1;
	if (*ret && stat(path, &after) == 0 && same_file(&before, &after))
		keep(file, &text, &before, model, *ret);
	return 0;
}
