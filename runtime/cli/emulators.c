/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/emulators.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/register.h"
#include "runtime/cli/trial_program.h"

/* An emulator that has not finished a program of four instructions by then never will. */
#define TRY_MS 30000 /* as in emulator_install.c: for a loaded node, not for the emulator */
#define VERSION_MS 2000

void node_deinit(struct node *n)
{
	free(n->list);
	binfmt_registry_deinit(&n->binfmt);
	fd_close(&n->dirfd);
	n->list = NULL;
	n->n = 0;
}

const char *arch_label(const struct arch *a)
{
	return a->oci || !a->qemu ? a->name : a->qemu;
}

/* --- reading --------------------------------------------------------------------------------- */

const struct arch *emulator_arch(const struct binfmt_entry *e)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	for (size_t i = 0; e->kind == BINFMT_MAGIC && i < n; i++) {
		uint8_t head[PROGRAM_HEAD] = { 0 };

		arch_header(&rows[i], head);
		if (binfmt_entry_matches(e, head, ""))
			return &rows[i];
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct emulator *x = a, *y = b;

	return strcmp(x->entry->name, y->entry->name);
}

static int list_fill(struct node *n, struct err *err)
{
	n->list = calloc(n->binfmt.n + 1, sizeof(*n->list));
	if (!n->list)
		return err_set(err, ERR_NOMEM, "no memory for %zu handlers", n->binfmt.n);
	for (size_t i = 0; i < n->binfmt.n; i++) {
		struct emulator *e = &n->list[n->n++];

		e->entry = &n->binfmt.entries[i];
		e->arch = emulator_arch(e->entry);
		if (e->arch) {
			e->used = binfmt_registry_for(&n->binfmt, e->arch, false) == e->entry;
			e->native = host_runs(&n->host, e->arch) == HOST_YES;
		}
		boot_file_of(e->entry->name, e->boot, sizeof(e->boot));
	}
	qsort(n->list, n->n, sizeof(*n->list), by_name);
	return 0;
}

/*
 * In a mount namespace that lacks the node's mount, such as a container's: through the root of
 * process 1, where it has our user namespace and so the same handlers.
 */
static int open_of_init(struct node *n)
{
	static const char path[] = "/proc/1/root" BINFMT_DIR;
	CLEANUP_FD int fd = -1;
	struct stat ours, theirs;
	struct statfs fs;

	if (stat("/proc/self/ns/user", &ours) < 0 || stat("/proc/1/ns/user", &theirs) < 0 ||
	    ours.st_ino != theirs.st_ino)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != BINFMTFS_MAGIC)
		return -1;
	n->mounted = true;
	return fd_steal(&fd);
}

int node_read(struct node *ret, struct err *err)
{
	CLEANUP_NODE struct node n = NODE_INIT;

	if (host_probe(&n.host, err) < 0 ||
	    binfmt_open(&n.dirfd, &n.mounted, &n.binfmt.state, err) < 0)
		return -1;
	if (n.dirfd < 0)
		n.dirfd = open_of_init(&n);
	if (n.dirfd >= 0 && binfmt_registry_read(n.dirfd, n.mounted, &n.binfmt, err) < 0)
		return -1;
	if (list_fill(&n, err) < 0)
		return -1;
	*ret = n;
	n = (struct node)NODE_INIT;
	return 0;
}

const struct emulator *emulator_for(const struct node *n, const struct arch *a)
{
	const struct binfmt_entry *entry = binfmt_registry_for(&n->binfmt, a, false);

	for (size_t i = 0; entry && i < n->n; i++)
		if (n->list[i].entry == entry)
			return &n->list[i];
	return NULL;
}

/* --- asking ---------------------------------------------------------------------------------- */

/* "qemu-s390x version 7.2.22 (Debian ...)" */
void emulator_version(const char *path, char *ret, size_t size)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	char name[] = "qemu", option[] = "-version"; /* Debian reads more out of its own name */
	char *const argv[] = { name, option, NULL };
	const struct subprocess run = {
		.path = path, .argv = argv, .keep_fd = -1, .timeout_ms = VERSION_MS, .out = &out
	};
	struct subprocess_result result;
	const char *text, *at;
	struct err ignored;

	ret[0] = '\0';
	if (subprocess_run(&run, &result, &ignored) < 0 || result.end != SUBPROCESS_EXITED ||
	    result.value)
		return;
	text = buf_str(&out);
	at = str_after(text, "qemu-") ? strstr(text, " version ") : NULL;
	if (at)
		(void)str_fmt(ret, size, "%.*s", (int)strspn(at + 9, "0123456789."), at + 9);
}

void emulators_ask_versions(struct node *n)
{
	for (size_t i = 0; i < n->n; i++) {
		struct emulator *e = &n->list[i];

		if (e->arch && e->entry->interpreter[0] == '/')
			emulator_version(e->entry->interpreter, e->version, sizeof(e->version));
	}
}

/* --- trying ---------------------------------------------------------------------------------- */

static void judge(const struct subprocess_result *r, char *why, size_t size)
{
	char what[96];

	why[0] = '\0';
	if (r->end == SUBPROCESS_EXITED && r->value == TRIAL_STATUS)
		return;
	subprocess_describe(r, what, sizeof(what));
	if (r->end == SUBPROCESS_EXITED && r->value == TRIAL_STATUS + 1)
		(void)str_fmt(why, size,
			      "programs get their own path as an extra argument: the emulator does "
			      "not expect flag P");
	else
		(void)str_fmt(why, size, "a built-in program %s", what);
}

int arch_try(const struct arch *a, char *why, size_t size, struct err *err)
{
	CLEANUP_FD int fd = -1;
	char path[32], name[] = "crossarch-probe";
	char *const argv[] = { name, NULL };
	struct subprocess run = { .path = path, .argv = argv, .timeout_ms = TRY_MS };
	struct subprocess_result result;

	if (trial_open(a, &fd, err) < 0)
		return -1;
	(void)str_fmt(path, sizeof(path), "/proc/self/fd/%d", fd);
	run.keep_fd = fd;
	if (subprocess_run(&run, &result, err) < 0)
		return -1;
	judge(&result, why, size);
	return 0;
}

/* An entry that another one covers cannot be reached; what it would do is not known. */
void emulators_try(struct node *n)
{
	for (size_t i = 0; i < n->n; i++) {
		struct emulator *e = &n->list[i];
		struct err err = ERR_INIT;

		if (n->binfmt.state != BINFMT_ON || !e->arch || !e->used || !e->entry->enabled)
			continue;
		if (arch_try(e->arch, e->why, sizeof(e->why), &err) == 0)
			e->works = e->why[0] ? WORKS_NO : WORKS_YES;
	}
}

/* --- labels ---------------------------------------------------------------------------------- */

int labels_write(const struct node *n, struct buf *out, struct err *err)
{
	if (buf_printf(out, err, LABEL_READY "=true\n") < 0)
		return -1;
	for (size_t i = 0; i < n->n; i++) {
		const struct emulator *e = &n->list[i];

		if (e->works == WORKS_YES && !e->native && (e->entry->flags & BINFMT_F) &&
		    buf_printf(out, err, LABEL_EMULATOR "%s=true\n", arch_label(e->arch)) < 0)
			return -1;
	}
	for (unsigned int level = 1; level <= n->host.x86_level; level++)
		if (buf_printf(out, err, LABEL_LEVEL "%u=true\n", level) < 0)
			return -1;
	return 0;
}
