/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/locate.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/subprocess.h"
#include "runtime/cli/trial_program.h"
#include "runtime/image/image.h"

/* An emulator needs a fraction of a second; on a node with no processor to spare, many. */
#define RUN_MS 30000

/* The names looked for: "qemu-s390x-static and qemu-s390x". */
static void wanted_names(const struct emulator_kind *k, const struct arch *a, char *ret,
			 size_t size)
{
	if (emulator_kind_is_qemu(k))
		(void)str_fmt(ret, size, "qemu-%s-static and qemu-%s", a->qemu, a->qemu);
	else
		(void)str_copy(ret, size, k->files);
}

static int find_usual(const struct emulator_kind *k, const struct arch *a, char *ret, size_t size,
		      struct err *err)
{
	char names[96];

	if (locate_kind(k, a, NULL, ret, size))
		return 0;
	wanted_names(k, a, names, sizeof(names));
	if (!emulator_kind_is_qemu(k))
		return err_set(err, ERR_NOT_FOUND,
			       "no %s on this node: looked for %s in /usr/bin and /usr/local/bin. "
			       "Install it, or name it with --path",
			       k->label, names);
	return err_set(err, ERR_NOT_FOUND,
		       "no emulator for %s on this node: looked for %s in /usr/bin, /usr/local/bin "
		       "and /usr/libexec/qemu-binfmt. Install one (Debian, Ubuntu: apt-get install "
		       "qemu-user-static; Fedora: dnf install qemu-user-static), or name it with "
		       "--path",
		       arch_label(a), names);
}

int interpreter_find(const struct emulator_kind *k, const struct arch *a, const char *path,
		     char *ret, size_t size, struct err *err)
{
	struct stat st;
	char names[96];

	if (!path)
		return find_usual(k, a, ret, size, err);
	if (path[0] != '/' || stat(path, &st) < 0)
		return err_set(err, ERR_NOT_FOUND,
			       "--path %s: %s; give the absolute path of an emulator or of a "
			       "directory that has it",
			       path, path[0] != '/' ? "not absolute" : strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return str_copy(ret, size, path) ? 0
						 : err_set(err, ERR_LIMIT, "--path is too long");
	if (locate_kind(k, a, path, ret, size))
		return 0;
	wanted_names(k, a, names, sizeof(names));
	return err_set(err, ERR_NOT_FOUND, "no %s for %s in %s: looked for %s",
		       emulator_kind_is_qemu(k) ? "emulator" : k->label, arch_label(a), path,
		       names);
}

/* --- fitness --------------------------------------------------------------------------------- */

#define UNFIT(err, ...) err_set(err, ERR_PRECONDITION, __VA_ARGS__)

static int check_file(const char *path, const struct host *host, struct image *img, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return UNFIT(err, "%s is not a regular file", path);
	if (!(st.st_mode & 0111))
		return UNFIT(err, "%s is not executable (mode %04o): chmod 0755 %s", path,
			     st.st_mode & 07777, path);
	return image_read(fd, (uint64_t)st.st_size, host, img, err);
}

static int check_image(const char *path, const struct host *host, const struct emulator_kind *k,
		       const struct image *img, struct err *err)
{
	const struct ident *id = &img->ident;
	const struct arch *own;

	if (img->kind != IMAGE_ELF)
		return UNFIT(err, "%s is %s, not an emulator", path, sniff_words(img->kind));
	own = arch_of_elf(id->machine, id->cls, id->order, id->flags);
	if (!own || host_runs(host, own) != HOST_YES)
		return UNFIT(err,
			     "%s is itself a program for %s, which this %s node cannot run; "
			     "install the emulator that was built for %s",
			     path, own ? own->name : "an unknown machine", host->arch->name,
			     host->arch->name);
	if (img->interp[0])
		return UNFIT(err,
			     "%s is dynamically linked (it needs %s), which containers do not "
			     "have; %s",
			     path, img->interp, k->remedy);
	return 0;
}

/* The interpreter by itself on the built-in program, without the kernel's help. */
static int dry_run(const char *path, const struct arch *a, struct err *err)
{
	CLEANUP_FD int fd = -1;
	char program[32], name[] = "emulator", what[96];
	char *const argv[] = { name, program, NULL };
	struct subprocess run = { .path = path, .argv = argv, .timeout_ms = RUN_MS };
	struct subprocess_result result;
	struct err none;

	if (trial_open(a, &fd, &none) < 0)
		return 0; /* nothing to try it with */
	(void)str_fmt(program, sizeof(program), "/proc/self/fd/%d", fd);
	run.keep_fd = fd;
	if (subprocess_run(&run, &result, err) < 0)
		return -1;
	if (result.end == SUBPROCESS_EXITED && result.value == TRIAL_STATUS)
		return 0;
	subprocess_describe(&result, what, sizeof(what));
	return UNFIT(err,
		     "%s does not work: with a small %s program it %s where exit status %d was "
		     "expected. Reinstall it, or name another one with --path",
		     path, arch_label(a), what, TRIAL_STATUS);
}

int interpreter_check(const struct host *host, const struct emulator_kind *k, const struct arch *a,
		      const char *path, struct err *err)
{
	struct image img;

	if (check_file(path, host, &img, err) < 0 || check_image(path, host, k, &img, err) < 0)
		return -1;
	return dry_run(path, a, err);
}
