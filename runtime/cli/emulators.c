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
#include "runtime/cli/boot_file.h"
#include "runtime/cli/subprocess.h"
#include "runtime/cli/trial_run.h"

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
		e->kind = emulator_kind_of(e->entry);
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

bool emulator_is_ours(const struct emulator *e)
{
	return str_after(e->entry->name, EMULATOR_PREFIX) != NULL;
}

bool emulator_is_replaced(const struct emulator *e)
{
	struct stat st;

	if (!(e->entry->flags & BINFMT_F) || !e->entry->registered_ns ||
	    stat(e->entry->interpreter, &st) < 0)
		return false;
	return (uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec >
	       e->entry->registered_ns;
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

/* The program that tells the version: the interpreter @path, or one beside it. False without. */
static bool version_program(const struct emulator_kind *k, const char *path, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (!k->version_option || !slash)
		return false;
	if (!k->version_program)
		return str_copy(ret, size, path);
	return str_fmt(ret, size, "%.*s/%s", (int)(slash - path), path, k->version_program);
}

static void ask_version(struct emulator *e)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	char path[PATH_MAX], name[] = "emulator", option[32];
	char *const argv[] = { name, option, NULL };
	const struct subprocess run = {
		.path = path,
		.argv = argv,
		.keep_fd = -1,
		.timeout_ms = VERSION_MS,
		.out = &out,
		.with_stderr = true,
	};
	struct subprocess_result result;
	struct err ignored;

	if (!version_program(e->kind, e->entry->interpreter, path, sizeof(path)))
		return;
	(void)str_copy(option, sizeof(option), e->kind->version_option);
	if (subprocess_run(&run, &result, &ignored) < 0 || result.end != SUBPROCESS_EXITED ||
	    result.value)
		return;
	(void)emulator_kind_version(e->kind, buf_str(&out), e->version, sizeof(e->version));
}

void emulators_ask_versions(struct node *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->list[i].arch && n->list[i].entry->interpreter[0] == '/')
			ask_version(&n->list[i]);
}

/* --- trying ---------------------------------------------------------------------------------- */

/* An entry that another one covers cannot be reached; what it would do is not known. */
void emulators_try(struct node *n)
{
	for (size_t i = 0; i < n->n; i++) {
		struct emulator *e = &n->list[i];
		struct err err = ERR_INIT;

		if (n->binfmt.state != BINFMT_ON || !e->arch || !e->used || !e->entry->enabled)
			continue;
		if (trial_run(e->arch, e->why, sizeof(e->why), &err) == 0)
			e->works = e->why[0] ? WORKS_NO : WORKS_YES;
		/* qemu-user is one file that needs nothing else. */
		if (e->works == WORKS_YES && (e->entry->flags & BINFMT_F) &&
		    !emulator_kind_is_qemu(e->kind) &&
		    trial_run_contained(e->arch, e->apart, sizeof(e->apart), &err) < 0)
			e->apart[0] = '\0';
	}
}

/* --- labels ---------------------------------------------------------------------------------- */

static bool serves_containers(const struct emulator *e)
{
	return e->works == WORKS_YES && !e->native && (e->entry->flags & BINFMT_F) && !e->apart[0];
}

/* Classes select by this one, so that native nodes and those with an emulator are alike to them. */
static int label_what_runs(const struct node *n, struct buf *out, struct err *err)
{
	size_t rows;
	const struct arch *a = arch_rows(&rows);

	for (size_t i = 0; i < rows; i++) {
		const struct emulator *e = emulator_for(n, &a[i]);

		if (!(a[i].oci && host_runs(&n->host, &a[i]) == HOST_YES) &&
		    !(e && serves_containers(e)))
			continue;
		if (buf_printf(out, err, LABEL_RUNS "%s=true\n", arch_label(&a[i])) < 0)
			return -1;
	}
	return 0;
}

int labels_write(const struct node *n, struct buf *out, struct err *err)
{
	if (buf_printf(out, err, LABEL_READY "=true\n") < 0 || label_what_runs(n, out, err) < 0)
		return -1;
	for (size_t i = 0; i < n->n; i++) {
		const struct emulator *e = &n->list[i];

		if (serves_containers(e) &&
		    buf_printf(out, err, LABEL_EMULATOR "%s=true\n", arch_label(e->arch)) < 0)
			return -1;
	}
	for (unsigned int level = 1; level <= n->host.x86_level; level++)
		if (buf_printf(out, err, LABEL_LEVEL "%u=true\n", level) < 0)
			return -1;
	return 0;
}
