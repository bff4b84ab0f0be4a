/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of an archive as a tree: what they take away, and that nothing leads out of it. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/layer_tree.h"
#include "runtime/cli/scratch_tree.h"

/* One entry: of a file @data is its contents, of a link its target. */
struct item {
	char type; /* f, x (executable), d, l, h (hard link), p (FIFO) */
	const char *name, *data;
};

static void put(struct archive *a, const struct item *i, size_t size)
{
	struct archive_entry *e = archive_entry_new();
	mode_t type = i->type == 'd' ? AE_IFDIR : i->type == 'l' ? AE_IFLNK : AE_IFREG;

	archive_entry_set_pathname(e, i->name);
	archive_entry_set_filetype(e, i->type == 'p' ? AE_IFIFO : type);
	archive_entry_set_perm(e, i->type == 'f' ? 0644 : 0755);
	if (i->type == 'l')
		archive_entry_set_symlink(e, i->data);
	else if (i->type == 'h')
		archive_entry_set_hardlink(e, i->data);
	else
		archive_entry_set_size(e, (int64_t)size);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	archive_entry_free(e);
}

/* A descriptor with the archive of @items, which ends with one without a name. */
static int make(const struct item *items)
{
	int fd = memfd_create("layer", MFD_CLOEXEC);
	struct archive *a = archive_write_new();

	archive_write_set_format_pax_restricted(a);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (; items->name; items++) {
		size_t n = strchr("fx", items->type) ? strlen(items->data) : 0;

		put(a, items, n);
		if (n)
			assert_int_equal(archive_write_data(a, items->data, n), n);
	}
	archive_write_free(a);
	return fd;
}

static int walk(int root, int fd, int (*what)(int, struct tar_reader *, struct err *),
		struct err *err)
{
	struct file_source source;
	struct tar_reader *t;
	int rc;

	file_source_init(&source, fd, 0, lseek(fd, 0, SEEK_END), NULL);
	if (tar_open(&source.source, true, &t, err) < 0)
		return -1;
	rc = what(root, t, err);
	tar_close(t);
	return rc;
}

static int apply(const struct scratch_tree *tree, const struct item *items, struct err *err)
{
	CLEANUP_FD int fd = make(items);

	return walk(tree->fd, fd, layer_remove, err) < 0 ? -1 : walk(tree->fd, fd, layer_add, err);
}

static void assert_file(const struct scratch_tree *tree, const char *name, const char *wanted)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;

	assert_int_equal(file_read(tree->fd, name, &text, &err), 0);
	assert_string_equal(buf_str(&text), wanted);
}

static bool is_there(const struct scratch_tree *tree, const char *name)
{
	struct stat st;

	return fstatat(tree->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_layers(void **state)
{
	static const struct item lower[] = {
		{ 'x', "./bin/app", "#!/bin/sh" },
		{ 'f', "etc/conf", "one" },
		{ 'f', "etc/kept", "kept" },
		{ 'd', "opt", "" },
		{ 'f', "opt/a/b/c", "deep" },
		{ 'l', "link", "etc" },
		{ 'h', "again", "etc/conf" },
		{ 'p', "fifo", "" },
		{ 0, NULL, NULL },
	};
	static const struct item upper[] = {
		{ 'f', "etc/.wh.conf", "" },
		{ 'f', "opt/new", "new" },
		{ 'f', "opt/.wh..wh..opq", "" },
		{ 'f', "link/through", "through" },
		{ 'd', "bin/app", "" },
		{ 'f', ".wh.never-there", "" },
		{ 'f', "/absolute//twice", "abs" },
		{ 0, NULL, NULL },
	};
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(scratch_tree_make(&tree, &err), 0);
	assert_int_equal(apply(&tree, lower, &err), 0);
	assert_file(&tree, "bin/app", "#!/bin/sh");
	assert_int_equal(fstatat(tree.fd, "bin/app", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_file(&tree, "again", "one");
	assert_file(&tree, "opt/a/b/c", "deep");
	assert_false(is_there(&tree, "fifo"));
	assert_int_equal(apply(&tree, upper, &err), 0);
	assert_false(is_there(&tree, "etc/conf"));
	assert_file(&tree, "etc/kept", "kept");
	assert_file(&tree, "etc/through", "through");
	assert_file(&tree, "again", "one");
	assert_false(is_there(&tree, "opt/a"));
	assert_file(&tree, "opt/new", "new");
	assert_file(&tree, "absolute/twice", "abs");
	assert_int_equal(fstatat(tree.fd, "bin/app", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_false(is_there(&tree, "etc/.wh.conf"));
}

/* Whatever names and links say: inside. */
static void test_escapes(void **state)
{
	char outside[] = "/tmp/test_layer_tree.XXXXXX", up[200], abs[200];
	const struct item items[] = {
		{ 'l', "up", "../../../../../../../../tmp" },
		{ 'l', "abs", "/tmp" },
		{ 'f', up, "evil" },
		{ 'f', abs, "evil" },
		{ 'f', "../../../../../../etc/evil", "evil" },
		{ 'f', "..", "evil" },
		{ 0, NULL, NULL },
	};
	const struct item stolen[] = { { 'h', "passwd", "../../../../../../etc/passwd" },
				       { 0, NULL, NULL } };
	const struct item magic[] = { { 'l', "self", "/proc/self/root" },
				      { 'f', "self/tmp/x", "evil" },
				      { 0, NULL, NULL } };
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(outside));
	(void)str_fmt(up, sizeof(up), "up/%s/evil", strrchr(outside, '/') + 1);
	(void)str_fmt(abs, sizeof(abs), "abs/%s/evil", strrchr(outside, '/') + 1);
	assert_int_equal(scratch_tree_make(&tree, &err), 0);
	(void)!apply(&tree, items, &err);
	assert_int_not_equal(apply(&tree, stolen, &err), 0);
	(void)!apply(&tree, magic, &err);
	assert_int_equal(rmdir(outside), 0); /* still empty */
	assert_int_not_equal(access("/etc/evil", F_OK), 0);
	assert_int_not_equal(access("/tmp/x", F_OK), 0);
}

/* A large file that is no program has its size, and takes no place. */
static void test_large(void **state)
{
	CLEANUP_FREE char *data = malloc((8u << 20) + 1);
	const struct item items[] = { { 'f', "data", data },
				      { 'x', "program", data },
				      { 0, NULL, NULL } };
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_non_null(data);
	memset(data, 'x', 8u << 20);
	data[8u << 20] = '\0';
	assert_int_equal(scratch_tree_make(&tree, &err), 0);
	assert_int_equal(apply(&tree, items, &err), 0);
	assert_int_equal(fstatat(tree.fd, "data", &st, 0), 0);
	assert_int_equal(st.st_size, 8u << 20);
	assert_true(st.st_blocks * 512 <= 1 << 20);
	assert_int_equal(fstatat(tree.fd, "program", &st, 0), 0);
	assert_true(st.st_blocks * 512 >= 8 << 20);
}

static void test_damaged(void **state)
{
	static const struct item items[] = { { 'f', "a", "text" },
					     { 'f', "b", "text" },
					     { 0, NULL, NULL } };
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	CLEANUP_FD int fd = make(items);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(scratch_tree_make(&tree, &err), 0);
	assert_int_equal(ftruncate(fd, 700), 0);
	assert_int_not_equal(walk(tree.fd, fd, layer_add, &err), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "no archive at all, only text", 28, 0), 28);
	assert_int_not_equal(walk(tree.fd, fd, layer_add, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
