/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/locate.h"
#include "runtime/binfmt/rule.h"
#include "runtime/prepare/prepare.h"

/* Emulators of one pod, as far as the decision is concerned; mode_private.c makes them. */

static bool asked(const struct prepare *p)
{
	return p->document && p->settings.private_emulators && p->spec.private_user;
}

enum cause private_bar(const struct prepare *p)
{
	if (!asked(p))
		return CAUSE_NONE;
	if (p->spec.host_pid)
		return CAUSE_PRIVATE_HOST_PID;
	return p->spec.privileged ? CAUSE_PRIVATE_PRIVILEGED : CAUSE_NONE;
}

static bool has(const struct binfmt_registry *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->entries[i].name, name))
			return true;
	return false;
}

/*
 * Debian's name promises that the emulator keeps to flag P. The newest handler counts, and these
 * will be newer than all that are there. False: the node has no emulator for @a.
 */
static bool make_entry(const struct arch *a, struct binfmt_entry *ret)
{
	char name[64], path[256];

	(void)str_fmt(name, sizeof(name), PRIVATE_PREFIX "%s", a->oci ? a->name : a->qemu);
	if (!locate_usual(a->qemu, path, sizeof(path)))
		return false;
	binfmt_entry_for(a, name, path, BINFMT_F | (str_ends(path, "-binfmt-P") ? BINFMT_P : 0),
			 ret);
	ret->pending = true;
	ret->registered_ns = UINT64_MAX;
	return true;
}

static int offer(struct prepare *p, const struct arch *a, struct err *err)
{
	struct binfmt_entry e;

	if (!make_entry(a, &e) || has(&p->binfmt, e.name))
		return 0;
	return binfmt_registry_add(&p->binfmt, &e, err);
}

int private_offer(struct prepare *p, struct err *err)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	if (!p->private_wanted || !asked(p) || private_bar(p) ||
	    p->binfmt.state == BINFMT_UNSUPPORTED || (p->own_binfmt && !p->private_ours))
		return 0;
	/* What is switched off or cannot be seen outside does not matter inside. */
	if (p->binfmt.state != BINFMT_ON)
		p->binfmt.n = 0;
	p->binfmt.state = BINFMT_ON;
	p->private_offered = true;
	for (size_t i = 0; i < n; i++)
		if (rows[i].qemu && host_runs(&p->host, &rows[i]) == HOST_NO &&
		    offer(p, &rows[i], err) < 0)
			return -1;
	return 0;
}

void private_decide(struct prepare *p)
{
	const char *pod = spec_sandbox(&p->spec);
	struct decided *d = &p->report.decided;

	if (!asked(p) || private_bar(p))
		return;
	d->flags |= DECIDED_PRIVATE;
	if (pod && p->spec.user_path && str_is_identifier(pod))
		(void)str_copy(d->pod, sizeof(d->pod), pod);
}

int private_rule(const struct arch *a, char ret[REGISTER_MAX + 1], struct err *err)
{
	struct binfmt_entry e;

	if (!a->qemu || !make_entry(a, &e))
		return err_set(err, ERR_NOT_FOUND, "this node has no static emulator for %s",
			       a->name);
	return register_again(&e, ret, err);
}

int private_open(const char *pid)
{
	char path[128];
	CLEANUP_FD int fd = -1;
	struct statfs fs;
	struct stat st;

	if (!str_fmt(path, sizeof(path), "/proc/%s/ns/user", pid) ||
	    fstatat(AT_FDCWD, path, &st, 0) < 0)
		return -1;
	(void)str_fmt(path, sizeof(path), PRIVATE_DIR "/%lu/" PRIVATE_MOUNT,
		      (unsigned long)st.st_ino);
	fd = fd_openat2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != BINFMTFS_MAGIC)
		return -1;
	return fd_steal(&fd);
}
