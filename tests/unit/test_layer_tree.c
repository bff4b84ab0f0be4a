/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of an archive as a tree: what they take away, and that nothing leads out of it. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
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

static int add_all(int root, struct tar_reader *layer, struct err *err)
{
	struct room room = { 1ll << 40, 1ll << 40 };

	return layer_add(root, layer, &room, err);
}

static int apply(const struct scratch_tree *tree, const struct item *items, struct err *err)
{
	CLEANUP_FD int fd = make(items);

	return walk(tree->fd, fd, layer_remove, err) < 0 ? -1 : walk(tree->fd, fd, add_all, err);
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

/* What there is room for is all that is taken, and of holes nothing. */
static int add_little(int root, struct tar_reader *layer, struct err *err)
{
	struct room room = { 64 << 10, 3 };

	return layer_add(root, layer, &room, err);
}

static int add_to(const struct item *items, struct err *err)
{
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	CLEANUP_FD int fd = make(items);

	assert_int_equal(scratch_tree_make(&tree, err), 0);
	return walk(tree.fd, fd, add_little, err);
}

static void test_room(void **state)
{
	CLEANUP_FREE char *data = malloc((100u << 10) + 1);
	const struct item large[] = { { 'x', "program", data }, { 0, NULL, NULL } };
	const struct item one[] = { { 'f', "a/b/c", "x" }, { 0, NULL, NULL } };
	const struct item deep[] = { { 'f', "a/b/c/d", "x" }, { 0, NULL, NULL } };
	const struct item links[] = { { 'l', "1", "x" },
				      { 'l', "2", "x" },
				      { 'l', "3", "x" },
				      { 'd', "4", "" },
				      { 0, NULL, NULL } };
	struct err err = ERR_INIT;

	(void)state;
	assert_non_null(data);
	memset(data, 'x', 100u << 10);
	data[100u << 10] = '\0';
	assert_int_equal(add_to(large, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err.text, "TMPDIR"));
	assert_int_equal(add_to(one, &err), 0);
	assert_int_equal(add_to(deep, &err), -1);
	assert_int_equal(add_to(links, &err), -1);
}

/* Deeper than a path can say: each link leads to where the one before ended. */
static void test_deep(void **state)
{
	char step[2 * 199 + 1], ends[20][PATH_MAX], names[20][8], files[20][PATH_MAX];
	const struct item too_deep[] = { { 'f', files[0], "x" }, { 0, NULL, NULL } };
	struct item items[2 * 20 + 1] = { { 0, NULL, NULL } };
	char path[PATH_MAX];
	struct err err = ERR_INIT;
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;

	(void)state;
	for (size_t i = 0; i < 199; i++)
		memcpy(&step[2 * i], "d/", 2);
	step[2 * 199 - 1] = '\0';
	for (size_t i = 0; i < 20; i++) {
		(void)str_fmt(names[i], sizeof(names[0]), "l%zu", i);
		(void)str_fmt(files[i], PATH_MAX, "%s%s%.396s/f", i ? names[i - 1] : "",
			      i ? "/" : "", step);
		(void)str_fmt(ends[i], PATH_MAX, "%s%s%.396s", i ? names[i - 1] : "", i ? "/" : "",
			      step);
		items[2 * i] = (struct item){ 'f', files[i], "x" };
		items[2 * i + 1] = (struct item){ 'l', names[i], ends[i] };
	}
	assert_int_equal(scratch_tree_make(&tree, &err), 0);
	(void)str_copy(path, sizeof(path), tree.path);
	assert_int_equal(apply(&tree, items, &err), 0);
	scratch_tree_remove(&tree);
	assert_int_not_equal(access(path, F_OK), 0);
	memset(files[0], 'd', PATH_MAX - 1);
	for (size_t i = 1; i < 2 * 249; i += 2)
		files[0][i] = '/';
	files[0][2 * 250] = '\0';
	assert_int_equal(scratch_tree_make(&tree, &err), 0);
	assert_int_equal(apply(&tree, too_deep, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

/* Of a process that is gone; what another user has put there stays. */
static void test_sweep(void **state)
{
	char mine[PATH_MAX], theirs[PATH_MAX], place[] = "/tmp/test_sweep.[x].XXXXXX";
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(place));
	assert_int_equal(setenv("TMPDIR", place, 1), 0);
	assert_int_equal(scratch_tree_make(&tree, &err), 0);
	assert_non_null(strstr(tree.path, place));
	assert_int_equal(mkdirat(tree.fd, "a", 0755), 0);
	(void)str_copy(mine, sizeof(mine), tree.path);
	(void)str_fmt(theirs, sizeof(theirs), "%s/crossarch-scan.%d.abcdef", place, (int)getpid());
	assert_int_equal(mkdir(theirs, 0755), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(theirs, 65534, 65534), 0);
	scratch_tree_sweep(getpid());
	assert_int_not_equal(lstat(mine, &st), 0);
	assert_int_equal(lstat(theirs, &st) == 0, geteuid() == 0);
	(void)rmdir(theirs);
	assert_int_equal(rmdir(place), 0);
	assert_int_equal(unsetenv("TMPDIR"), 0);
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
	assert_int_not_equal(walk(tree.fd, fd, add_all, &err), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "no archive at all, only text", 28, 0), 28);
	assert_int_not_equal(walk(tree.fd, fd, add_all, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),	cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_large),	cmocka_unit_test(test_room),
		cmocka_unit_test(test_deep),	cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
