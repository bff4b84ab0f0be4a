/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/emulator_install.h"

#include <string.h>
#include <sys/stat.h>

#include "runtime/base/str.h"
#include "runtime/cli/boot_file.h"
#include "runtime/cli/interpreter.h"
#include "runtime/cli/register.h"
#include "runtime/cli/trial_program.h"
#include "runtime/cli/trial_run.h"

/* One installation under way. */
struct work {
	const struct node *node;
	const struct install *wish;
	const struct emulator_kind *kind;
	const char *path; /* NULL: the usual places */
	char name[64], provisional[64], interpreter[512], flags[8];
	char line[REGISTER_MAX + 1];
};

static void handler_name(const struct arch *a, char *ret, size_t size)
{
	(void)str_fmt(ret, size, EMULATOR_PREFIX "%s", arch_label(a));
}

static int check_native(const struct host *host, const struct arch *a, struct err *err)
{
	if (host_runs(host, a) == HOST_NO)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		       "this %s node runs %s programs by itself; an emulator would only get in "
		       "their way",
		       host->arch->name, a->name);
}

static int check_kind(const struct emulator_kind *k, const struct arch *a, struct err *err)
{
	if (!k->flags)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s is registered by whoever started the virtual machine it is made "
			       "for, and by nobody else",
			       k->label);
	if (emulator_kind_runs(k, a))
		return 0;
	if (!k->guests)
		return err_set(err, ERR_UNSUPPORTED, "there is no user-mode emulator for %s",
			       a->name);
	return err_set(err, ERR_UNSUPPORTED, "%s does not run programs of it, only of %s", k->label,
		       k->guests);
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether it stays as long as it can on this node. */
static bool is_kept(const struct emulator *e)
{
	return e->boot[0] || (boot_dir_is_read_only() &&
			      boot_file_records(e->entry->name, e->entry->interpreter));
}

/* Whether the handler in use already is all that was asked for. */
static bool is_satisfied(const struct work *w, const struct emulator *e)
{
	char why[160];
	struct err ignored;

	if (!e || !(e->entry->flags & BINFMT_F) || !is_kept(e) || emulator_is_replaced(e))
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
	return trial_run(w->wish->arch, why, sizeof(why), &ignored) < 0 || !why[0];
}

/* --- what is somebody else's ------------------------------------------------------------------ */

/* One that runs programs of the architecture as they are started on the node. */
static bool works_here(const struct emulator *e)
{
	char why[160];
	struct err ignored;

	return trial_run(e->arch, why, sizeof(why), &ignored) == 0 && !why[0];
}

/* The same in a container; where that cannot be tried, flag F has to do. */
static bool works_contained(const struct emulator *e)
{
	char why[160];
	struct err ignored;

	return (e->entry->flags & BINFMT_F) && works_here(e) &&
	       (trial_run_contained(e->arch, why, sizeof(why), &ignored) < 0 || !why[0]);
}

/*
 * Nothing in particular was asked for, and an emulator of another kind that somebody chose does it
 * already: the node's owner, or we when that kind was asked for.
 */
static bool is_served(const struct install *wish, const struct emulator *now)
{
	bool asked = wish->kind || wish->path || wish->force || wish->credentials;

	if (!now || asked || !emulator_kind_is_other(now->kind))
		return false;
	if (emulator_is_ours(now) && (!is_kept(now) || emulator_is_replaced(now)))
		return false;
	return works_contained(now);
}

static int protect(const struct install *wish, const struct emulator *now, struct err *err)
{
	if (!now || wish->force || !emulator_kind_is_foreign(now->entry) || !works_here(now))
		return 0;
	return err_set(err, ERR_EXISTS,
		       "the handler %s (%s, %s) runs such programs on this node; a newer one "
		       "would take them away from it, outside of containers as well. If that is "
		       "wanted, run it again with --force",
		       now->entry->name, now->kind->label, now->entry->interpreter);
}

static const struct emulator *emulator_named(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (str_eq(n->list[i].entry->name, name))
			return &n->list[i];
	return NULL;
}

/* Another installer may use our names: what none of our files knows about is not ours. */
static bool is_strangers(const struct emulator *e)
{
	return e && !boot_file_records(e->entry->name, e->entry->interpreter);
}

/* With the same file behind it, it does not matter whose it was. */
static int protect_name(const struct work *w, struct err *err)
{
	const struct emulator *e = emulator_named(w->node, w->name);

	if (!is_strangers(e) || w->wish->force || same_file(e->entry->interpreter, w->interpreter))
		return 0;
	return err_set(err, ERR_EXISTS,
		       "the handler %s (%s) has our name, but no file in " BOOT_DIR " or " RUN_DIR
		       " says that it was registered by this command: another installer's, it "
		       "stays. If it is to be replaced, run it again with --force",
		       e->entry->name, e->entry->interpreter);
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
static int rehearse(struct work *w, const char *flags, char *why, size_t size, struct err *err)
{
	struct err none;

	(void)str_fmt(w->flags, sizeof(w->flags), "%s%sF", flags, w->wish->credentials ? "C" : "");
	take_back(w, w->provisional);
	if (enter(w, w->provisional, err) < 0)
		return -1;
	if (trial_run(w->wish->arch, why, size, &none) < 0)
		why[0] = '\0'; /* nothing to try it with */
	if (why[0])
		take_back(w, w->provisional);
	return 0;
}

/*
 * With flag P first, where the kind may have it: whether an emulator keeps to it shows in the
 * number of arguments. Where that cannot be tried, Debian's name for those that do decides.
 */
static int find_flags(struct work *w, struct err *err)
{
	uint8_t ignored[TRIAL_MAX];
	bool can_try = trial_build(w->wish->arch, ignored) > 0;
	bool wanted = *w->kind->flags && (can_try || str_ends(w->interpreter, "-binfmt-P"));
	char why[160];

	if (rehearse(w, wanted ? w->kind->flags : "", why, sizeof(why), err) < 0)
		return -1;
	if (wanted && why[0] && rehearse(w, "", why, sizeof(why), err) < 0)
		return -1;
	if (!why[0])
		return 0;
	return err_set(err, ERR_PRECONDITION, "%s does not work as a handler: %s", w->interpreter,
		       why);
}

/* qemu-user is one file that needs nothing else; others may want a server or settings beside. */
static int try_contained(const struct work *w, struct err *err)
{
	struct err ignored;
	char why[160];

	if (emulator_kind_is_qemu(w->kind) ||
	    trial_run_contained(w->wish->arch, why, sizeof(why), &ignored) < 0 || !why[0])
		return 0;
	take_back(w, w->provisional);
	return err_set(err, ERR_PRECONDITION,
		       "%s works on this node but not in containers, where it has no other file of "
		       "the node: %s; %s",
		       w->interpreter, why, w->kind->remedy);
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
	if (check_kind(w->kind, a, err) < 0)
		return -1;
	if (interpreter_find(w->kind, a, w->path, w->interpreter, sizeof(w->interpreter), err) < 0)
		return -1;
	return interpreter_check(&w->node->host, w->kind, a, w->interpreter, err);
}

/* As asked for; else by the file's name; else as it was asked for before; else qemu. */
static void choose_kind(struct work *w, const struct emulator *now)
{
	struct stat st;

	w->path = w->wish->path;
	w->kind = w->wish->kind ? w->wish->kind : emulator_kind_named("qemu");
	if (w->wish->kind)
		return;
	if (w->path && stat(w->path, &st) == 0 && !S_ISDIR(st.st_mode))
		w->kind = emulator_kind_of_file(w->path);
	if (!w->path && now && emulator_is_ours(now) && emulator_kind_is_other(now->kind)) {
		w->kind = now->kind;
		w->path = now->entry->interpreter;
	}
}

static void fill_unchanged(const struct emulator *e, struct install_result *ret)
{
	ret->outcome = INSTALLED_UNCHANGED;
	ret->kind = e->kind;
	(void)str_copy(ret->handler, sizeof(ret->handler), e->entry->name);
	(void)str_copy(ret->interpreter, sizeof(ret->interpreter), e->entry->interpreter);
	(void)str_copy(ret->boot, sizeof(ret->boot), e->boot);
	binfmt_flag_letters(e->entry->flags, ret->flags);
	ret->lasts = e->boot[0] || !emulator_is_ours(e);
}

static void fill_installed(const struct work *w, struct install_result *ret)
{
	ret->outcome = INSTALLED;
	ret->kind = w->kind;
	(void)str_copy(ret->handler, sizeof(ret->handler), w->name);
	(void)str_copy(ret->interpreter, sizeof(ret->interpreter), w->interpreter);
	(void)str_copy(ret->flags, sizeof(ret->flags), w->flags);
	ret->lasts = str_after(ret->boot, BOOT_DIR "/") != NULL;
}

/* What nobody here knows may be somebody's choice as well. */
static void find_covered(const struct emulator *before, struct install_result *ret)
{
	if (before && !emulator_is_ours(before) && !emulator_kind_is_qemu(before->kind))
		(void)str_fmt(ret->covered, sizeof(ret->covered), "%s (%.200s)",
			      before->entry->name, before->entry->interpreter);
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
	const struct emulator *now = emulator_for(n, wish->arch);
	struct work w = { .node = n, .wish = wish };

	ret->later[0] = ret->covered[0] = '\0';
	if (check_native(&n->host, wish->arch, err) < 0)
		return -1;
	if (is_served(wish, now)) {
		fill_unchanged(now, ret);
		return 0;
	}
	choose_kind(&w, now);
	if (prepare_work(&w, err) < 0)
		return -1;
	if (is_satisfied(&w, now)) {
		fill_unchanged(now, ret);
		return 0;
	}
	if (protect(wish, now, err) < 0 || protect_name(&w, err) < 0 || find_flags(&w, err) < 0 ||
	    try_contained(&w, err) < 0 || replace(&w, err) < 0 ||
	    boot_file_write(w.name, w.line, ret->boot, sizeof(ret->boot), err) < 0)
		return -1;
	fill_installed(&w, ret);
	find_covered(now, ret);
	find_later(now, ret);
	return 0;
}

int emulator_remove(const struct node *n, const struct arch *a, bool force,
		    struct remove_result *ret, struct err *err)
{
	const struct emulator *e;
	char name[64];

	handler_name(a, name, sizeof(name));
	*ret = (struct remove_result){ false, false, NULL };
	e = emulator_named(n, name);
	if (is_strangers(e) && !force)
		ret->stays = e->entry;
	else if (n->dirfd >= 0 && unregister_handler(n->dirfd, name, &ret->handler, err) < 0)
		return -1;
	return boot_file_remove(name, &ret->boot, err);
}
