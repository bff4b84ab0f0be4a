/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/emulator_install.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/locate.h"
#include "runtime/cli/register.h"
#include "runtime/cli/trial_program.h"
#include "runtime/image/image.h"

/* An emulator needs a fraction of a second; on a node with no processor to spare, many. */
#define RUN_MS 30000

int interpreter_find(const struct arch *a, const char *path, char *ret, size_t size,
		     struct err *err)
{
	struct stat st;

	if (!path && locate_usual(a->qemu, ret, size))
		return 0;
	if (!path)
		return err_set(err, ERR_NOT_FOUND,
			       "no emulator for %s on this node: looked for qemu-%s-static and "
			       "qemu-%s in /usr/bin, /usr/local/bin and /usr/libexec/qemu-binfmt. "
			       "Install one (Debian, Ubuntu: apt-get install qemu-user-static; "
			       "Fedora: dnf install qemu-user-static), or name it with --path",
			       arch_label(a), a->qemu, a->qemu);
	if (path[0] != '/' || stat(path, &st) < 0)
		return err_set(err, ERR_NOT_FOUND,
			       "--path %s: %s; give the absolute path of an emulator or of a "
			       "directory that has it",
			       path, path[0] != '/' ? "not absolute" : strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return str_copy(ret, size, path) ? 0
						 : err_set(err, ERR_LIMIT, "--path is too long");
	if (locate_in(path, a->qemu, ret, size))
		return 0;
	return err_set(err, ERR_NOT_FOUND,
		       "no emulator for %s in %s: looked for qemu-%s-static "
		       "and qemu-%s",
		       arch_label(a), path, a->qemu, a->qemu);
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

static int check_image(const char *path, const struct host *host, const struct image *img,
		       struct err *err)
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
			     "have; use a static one (Debian, Ubuntu: package qemu-user-static)",
			     path, img->interp);
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

int interpreter_check(const struct host *host, const struct arch *a, const char *path,
		      struct err *err)
{
	struct image img;

	if (check_file(path, host, &img, err) < 0 || check_image(path, host, &img, err) < 0)
		return -1;
	return dry_run(path, a, err);
}

/* --- installing ------------------------------------------------------------------------------ */

/* One installation under way. */
struct work {
	const struct node *node;
	const struct install *wish;
	char name[64], provisional[64], interpreter[512], flags[8];
	char line[REGISTER_MAX + 1];
};

static void handler_name(const struct arch *a, char *ret, size_t size)
{
	(void)str_fmt(ret, size, INSTALL_PREFIX "%s", arch_label(a));
}

static int check_arch(const struct host *host, const struct arch *a, struct err *err)
{
	if (!a->qemu)
		return err_set(err, ERR_UNSUPPORTED, "there is no user-mode emulator for %s",
			       a->name);
	if (host_runs(host, a) != HOST_NO)
		return err_set(err, ERR_UNSUPPORTED,
			       "this %s node runs %s programs by itself; an emulator would only "
			       "get in their way",
			       host->arch->name, a->name);
	return 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether the handler in use already is all that was asked for. */
static bool is_satisfied(const struct work *w, const struct emulator *e)
{
	char why[160];
	struct err ignored;

	if (!e || !(e->entry->flags & BINFMT_F) || !e->boot[0])
		return false;
	if (w->wish->credentials && !(e->entry->flags & BINFMT_C))
		return false;
	if (!w->wish->credentials && (e->entry->flags & BINFMT_C) &&
	    str_eq(e->entry->name, w->name))
		return false; /* ours, made with --credentials, and they are no longer wanted */
	if (!same_file(e->entry->interpreter, w->interpreter))
		return false;
	if (w->wish->path && !str_eq(e->entry->interpreter, w->interpreter))
		return false;
	return arch_try(w->wish->arch, why, sizeof(why), &ignored) < 0 || !why[0];
}

/* --- through the kernel ---------------------------------------------------------------------- */

static void take_back(const struct work *w, const char *name)
{
	struct err ignored;
	bool removed;

	(void)!unregister_handler(w->node->dirfd, name, &removed, &ignored);
}

static int enter(struct work *w, const char *name, struct err *err)
{
	if (register_line(w->wish->arch, name, w->interpreter, w->flags, w->line, err) < 0)
		return -1;
	return register_handler(w->node->dirfd, w->line, err);
}

/* Under the provisional name: the newest handler is the one the kernel uses. */
static int rehearse(struct work *w, bool keeps_argv0, char *why, size_t size, struct err *err)
{
	struct err none;

	(void)str_fmt(w->flags, sizeof(w->flags), "%s%sF", keeps_argv0 ? "P" : "",
		      w->wish->credentials ? "C" : "");
	take_back(w, w->provisional);
	if (enter(w, w->provisional, err) < 0)
		return -1;
	if (arch_try(w->wish->arch, why, size, &none) < 0)
		why[0] = '\0'; /* nothing to try it with */
	if (why[0])
		take_back(w, w->provisional);
	return 0;
}

/*
 * With flag P first: whether an emulator keeps to it shows in the number of arguments. Where that
 * cannot be tried, Debian's name for those that do decides.
 */
static int find_flags(struct work *w, struct err *err)
{
	uint8_t ignored[TRIAL_MAX];
	bool can_try = trial_build(w->wish->arch, ignored) > 0;
	char why[160], first[160];

	if (rehearse(w, can_try || str_ends(w->interpreter, "-binfmt-P"), first, sizeof(first),
		     err) < 0)
		return -1;
	if (!first[0])
		return 0;
	if (rehearse(w, false, why, sizeof(why), err) < 0)
		return -1;
	if (!why[0])
		return 0;
	return err_set(err, ERR_PRECONDITION, "%s does not work as a handler: %s", w->interpreter,
		       why);
}

static int replace(struct work *w, struct err *err)
{
	bool removed;

	if (unregister_handler(w->node->dirfd, w->name, &removed, err) < 0 ||
	    enter(w, w->name, err) < 0)
		return err_in(err, "the handler works and stays registered as %s", w->provisional);
	take_back(w, w->provisional);
	return 0;
}

/* --- both ways ------------------------------------------------------------------------------- */

static int prepare_work(struct work *w, struct err *err)
{
	const struct arch *a = w->wish->arch;

	handler_name(a, w->name, sizeof(w->name));
	(void)str_fmt(w->provisional, sizeof(w->provisional), "%s.new", w->name);
	if (check_arch(&w->node->host, a, err) < 0)
		return -1;
	if (interpreter_find(a, w->wish->path, w->interpreter, sizeof(w->interpreter), err) < 0)
		return -1;
	return interpreter_check(&w->node->host, a, w->interpreter, err);
}

static void fill_unchanged(const struct emulator *e, struct install_result *ret)
{
	ret->outcome = INSTALLED_UNCHANGED;
	(void)str_copy(ret->handler, sizeof(ret->handler), e->entry->name);
	(void)str_copy(ret->interpreter, sizeof(ret->interpreter), e->entry->interpreter);
	(void)str_copy(ret->boot, sizeof(ret->boot), e->boot);
	binfmt_flag_letters(e->entry->flags, ret->flags);
}

static void fill_installed(const struct work *w, struct install_result *ret)
{
	ret->outcome = INSTALLED;
	(void)str_copy(ret->handler, sizeof(ret->handler), w->name);
	(void)str_copy(ret->interpreter, sizeof(ret->interpreter), w->interpreter);
	(void)str_copy(ret->flags, sizeof(ret->flags), w->flags);
	boot_file_own(w->name, ret->boot, sizeof(ret->boot));
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * systemd-binfmt goes by the files' names, whatever directory they are in: one that sorts after
 * ours registers its handler last, and the last one is what the kernel uses.
 */
static void find_later(const struct emulator *before, struct install_result *ret)
{
	if (before && before->boot[0] && !str_eq(before->entry->name, ret->handler) &&
	    strcmp(file_name(before->boot), file_name(ret->boot)) > 0)
		(void)str_copy(ret->later, sizeof(ret->later), before->boot);
}

int emulator_install(const struct node *n, const struct install *wish, struct install_result *ret,
		     struct err *err)
{
	struct work w = { .node = n, .wish = wish };
	const struct emulator *now = emulator_for(n, wish->arch);
	bool changed;

	ret->later[0] = '\0';
	if (prepare_work(&w, err) < 0)
		return -1;
	if (is_satisfied(&w, now)) {
		fill_unchanged(now, ret);
		return 0;
	}
	if (find_flags(&w, err) < 0 || replace(&w, err) < 0)
		return -1;
	fill_installed(&w, ret);
	find_later(now, ret);
	return boot_file_write(w.name, w.line, &changed, err);
}

int emulator_remove(const struct node *n, const struct arch *a, struct remove_result *ret,
		    struct err *err)
{
	char name[64];

	handler_name(a, name, sizeof(name));
	*ret = (struct remove_result){ false, false };
	if (n->dirfd >= 0 && unregister_handler(n->dirfd, name, &ret->handler, err) < 0)
		return -1;
	return boot_file_remove(name, &ret->boot, err);
}
