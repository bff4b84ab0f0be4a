/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_levels.h"
#include "runtime/binfmt/locate.h"
#include "runtime/binfmt/rule.h"
#include "runtime/cli/boot_file.h"
#include "runtime/cli/doctor.h"
#include "runtime/cli/emulator_level.h"
#include "runtime/cli/emulators.h"

/* Under earlier releases of qemu the run times of Go and Node.js crash (moby/buildkit#2541). */
#define GOOD_QEMU 8

/* --- binfmt_misc itself ---------------------------------------------------------------------- */

/* Who mounted it: systemd's automount leaves a trace of its own on the same place. */
static const char *mounter(void)
{
	CLEANUP_FILE FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	struct mountinfo m;
	size_t size = 0;

	if (!file)
		return "";
	while (file_line(file, &line, &size))
		if (mountinfo_parse(line, &m) && str_eq(m.point, BINFMT_DIR) &&
		    str_eq(m.type, "autofs"))
			return ", by systemd's automount";
	return access("/run/systemd/units", F_OK) == 0 ? ", by systemd or by hand" : ", by hand";
}

static void examine_mount(struct findings *f, const struct node *n)
{
	switch (n->binfmt.state) {
	case BINFMT_UNSUPPORTED:
		found(f, GRADE_BAD, "binfmt_misc", "the kernel has none: no emulation here");
		fix(f, "modprobe binfmt_misc, or use a kernel with CONFIG_BINFMT_MISC");
		return;
	case BINFMT_NOT_MOUNTED:
		found(f, GRADE_WARN, "binfmt_misc", "not mounted: only native programs run");
		fix(f, "crossarch emulators install all (mounts it), or mount -t binfmt_misc "
		       "binfmt_misc " BINFMT_DIR);
		return;
	case BINFMT_UNKNOWN:
		found(f, GRADE_WARN, "binfmt_misc", "cannot be seen from this namespace");
		fix(f, "run crossarch doctor on the node itself");
		return;
	case BINFMT_OFF:
		found(f, GRADE_BAD, "binfmt_misc", "mounted%s, and switched off as a whole",
		      n->mounted ? mounter() : "");
		fix(f, "echo 1 > " BINFMT_DIR "/status");
		return;
	case BINFMT_ON:
		break;
	}
	if (n->mounted)
		found(f, GRADE_GOOD, "binfmt_misc", "mounted on " BINFMT_DIR "%s", mounter());
	else
		found(f, GRADE_INFO, "binfmt_misc",
		      "in use, but not mounted in this mount namespace");
}

/* --- each emulator --------------------------------------------------------------------------- */

/* ", x86-64-v3": for what an emulator of amd64 takes programs to be built at most. */
static void describe_level(const struct emulator *e, char *text, size_t size)
{
	unsigned int level = 0;
	struct err ignored;

	text[0] = '\0';
	if (!emulator_kind_is_other(e->kind) && *e->version && str_eq(e->arch->name, "amd64") &&
	    emulator_level(LEVELS_FILE, e->entry->interpreter, "", &level, &ignored) == 0 && level)
		(void)str_fmt(text, size, ", x86-64-v%u", level);
}

static void describe(const struct emulator *e, char *text, size_t size)
{
	const struct binfmt_entry *b = e->entry;
	bool other = emulator_kind_is_other(e->kind), told = other || *e->version;
	const char *kind = other ? e->kind->label : "qemu";
	char flags[8], level[16];

	binfmt_flag_letters(b->flags, flags);
	describe_level(e, level, sizeof(level));
	(void)str_fmt(text, size, "%s%s%s%s%s%s, flags %s, %s", b->name, told ? ", " : "",
		      told ? kind : "", *e->version ? " " : "", e->version, level,
		      flags[0] ? flags : "none", b->interpreter);
}

/* How to have qemu in front of somebody else's that containers cannot use. */
static void fix_contained(struct findings *f, const struct emulator *e)
{
	fix(f, "crossarch emulators install %s%s%s",
	    emulator_kind_is_foreign(e->entry) ? "--force " : "",
	    emulator_is_ours(e) && emulator_kind_is_other(e->kind) ? "--emulator qemu " : "",
	    arch_label(e->arch));
}

static void fix_broken(struct findings *f, const struct emulator *e)
{
	const char *name = arch_label(e->arch);

	if (emulator_kind_is_foreign(e->entry))
		fix(f, "repair %s, or have qemu in its place: crossarch emulators install %s",
		    e->kind->label, name);
	else if (emulator_kind_is_other(e->kind))
		fix(f, "reinstall %s, then crossarch emulators install --emulator %s %s",
		    e->kind->label, e->kind->name, name);
	else
		fix(f, "reinstall qemu-user-static, then crossarch emulators install %s", name);
}

static void fix_replaced(struct findings *f, const struct emulator *e)
{
	if (emulator_kind_is_foreign(e->entry))
		fix(f, "register it again by what registered it%s%s%s", *e->boot ? " (" : "",
		    e->boot, *e->boot ? ")" : "");
	else
		fix(f, "crossarch emulators install %s", arch_label(e->arch));
}

static void fix_native(struct findings *f, const struct emulator *e)
{
	if (emulator_kind_is_foreign(e->entry))
		fix(f, "remove %s, or what registers it%s%s", e->kind->label, *e->boot ? ": " : "",
		    e->boot);
	else
		fix(f, "echo -1 > " BINFMT_DIR "/%s", e->entry->name);
}

/* What is wrong with it, worst first; false when nothing is. */
static bool examine_trouble(struct findings *f, const struct emulator *e, const char *what)
{
	const char *name = arch_label(e->arch);

	if (e->native && e->entry->enabled) {
		found(f, GRADE_WARN, name, "%s: covers programs that this node runs by itself",
		      what);
		fix_native(f, e);
	} else if (!e->entry->enabled) {
		found(f, GRADE_WARN, name, "%s: disabled", what);
		fix(f, "echo 1 > " BINFMT_DIR "/%s", e->entry->name);
	} else if (e->works == WORKS_NO) {
		found(f, GRADE_BAD, name, "%s: does not work, %s", what, e->why);
		fix_broken(f, e);
	} else if (!(e->entry->flags & BINFMT_F)) {
		found(f, GRADE_WARN, name, "%s: without flag F containers cannot use it", what);
		fix_contained(f, e);
	} else if (e->apart[0]) {
		found(f, GRADE_WARN, name, "%s: works, but not in containers: %s", what, e->apart);
		fix_contained(f, e);
	} else if (emulator_is_replaced(e)) {
		found(f, GRADE_WARN, name, "%s: the file was replaced, the old one is in use",
		      what);
		fix_replaced(f, e);
	} else if (!e->boot[0] && !emulator_kind_is_foreign(e->entry)) {
		found(f, GRADE_WARN, name, "%s: works, but is gone after a reboot", what);
		fix(f,
		    boot_dir_is_read_only() ? "run \"crossarch emulators install %s\" at every boot"
					    : "crossarch emulators install %s",
		    name);
	} else {
		return false;
	}
	return true;
}

/* Healthy emulators of architectures without an OCI name are only counted. */
static void examine_emulator(struct findings *f, const struct emulator *e, size_t *others)
{
	char what[400];

	describe(e, what, sizeof(what));
	if (e->entry->enabled && !e->used && !e->native) {
		found(f, GRADE_INFO, arch_label(e->arch), "%s: covered by a newer handler", what);
		return;
	}
	if (examine_trouble(f, e, what))
		return;
	if (e->arch->oci)
		found(f, e->works == WORKS_YES ? GRADE_GOOD : GRADE_INFO, arch_label(e->arch),
		      "%s%s", what, e->works == WORKS_YES ? ", works" : ", not tried");
	else
		(*others)++;
}

static void examine_age(struct findings *f, const struct node *n)
{
	const char *oldest = NULL;

	for (size_t i = 0; i < n->n; i++) {
		const char *v = n->list[i].version;

		if (emulator_kind_is_other(n->list[i].kind))
			continue;
		if (*v && atoi(v) < GOOD_QEMU && (!oldest || atoi(v) < atoi(oldest)))
			oldest = v;
	}
	if (!oldest)
		return;
	found(f, GRADE_WARN, "qemu's age",
	      "%s: before version %d some programs crash under it (Go, Node.js)", oldest,
	      GOOD_QEMU);
	fix(f, "install a newer qemu-user-static (Debian: from backports), then crossarch "
	       "emulators install all");
}

/* What kinds other than qemu cannot do, once each. */
static void examine_limits(struct findings *f, const struct node *n)
{
	size_t n_kinds;
	const struct emulator_kind *kinds = emulator_kinds(&n_kinds);

	for (size_t k = 0; k < n_kinds; k++)
		for (size_t i = 0; i < n->n && kinds[k].limits[0]; i++)
			if (n->list[i].arch && n->list[i].kind == &kinds[k]) {
				found(f, GRADE_INFO, kinds[k].label, "%s", kinds[k].limits);
				break;
			}
}

/* Who reads the files that bring handlers back. */
static void examine_boot(struct findings *f)
{
	if (boot_reader_is(BOOT_SYSTEMD)) {
		found(f, GRADE_GOOD, "after a reboot",
		      "systemd-binfmt registers what /etc/binfmt.d "
		      "and /usr/lib/binfmt.d name");
	} else if (boot_reader_is(BOOT_BINFMT_SUPPORT)) {
		found(f, GRADE_GOOD, "after a reboot", "binfmt-support registers its formats");
	} else {
		found(f, GRADE_WARN, "after a reboot",
		      "nothing registers handlers: neither systemd-binfmt nor binfmt-support");
		fix(f, "run \"crossarch emulators install all\" at every boot");
	}
}

/* True when the node has an emulator, registered or not: nothing has to be installed then. */
static bool has_interpreters(void)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);
	char path[PATH_MAX];

	for (size_t i = 0; i < n; i++)
		if (rows[i].qemu && locate_usual(rows[i].qemu, path, sizeof(path)))
			return true;
	return false;
}

void doctor_emulators(struct findings *f, struct node *n)
{
	struct err err = ERR_INIT;
	size_t others = 0, foreign = 0;

	f->section = "emulators";
	if (node_read(n, &err) < 0) {
		found(f, GRADE_BAD, "binfmt_misc", "%s", err.text);
		fix(f, "run crossarch doctor as root, on the node itself");
		return;
	}
	examine_mount(f, n);
	emulators_ask_versions(n);
	emulators_try(n);
	for (size_t i = 0; i < n->n; i++)
		if (n->list[i].arch) {
			foreign++;
			examine_emulator(f, &n->list[i], &others);
		}
	if (others)
		found(f, GRADE_GOOD, "others", "%zu more (crossarch emulators lists them)", others);
	if (n->binfmt.state == BINFMT_ON && !foreign) {
		found(f, GRADE_WARN, "emulators", "none registered: only native programs run");
		fix(f, "%scrossarch emulators install all",
		    has_interpreters() ? "" : "apt-get install qemu-user-static, then ");
	}
	if (foreign)
		examine_boot(f);
	examine_age(f, n);
	examine_limits(f, n);
}
