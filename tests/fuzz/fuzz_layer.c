/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/cli/layer_tree.h"
#include "runtime/cli/scratch_tree.h"
#include "tests/fuzz/fuzz.h"

static void close_reader(struct tar_reader **t)
{
	tar_close(*t);
}
#define CLEANUP_TAR CLEANUP(close_reader)

static int walk(int root, int fd, size_t n, struct room *room)
{
	CLEANUP_TAR struct tar_reader *t = NULL;
	struct file_source source;
	struct err err;

	file_source_init(&source, fd, 0, (int64_t)n, NULL);
	if (tar_open(&source.source, true, &t, &err) < 0)
		return -1;
	return room ? layer_add(root, t, room, &err) : layer_remove(root, t, &err);
}

/* A layer on top of nothing and then of itself: what lies beside the tree stays as it is. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	CLEANUP_FD int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct room room = { 1 << 20, 100 };
	CLEANUP_FD int beside = -1;
	CLEANUP_FD int root = -1;
	struct stat st;
	struct err err;

	if (fd < 0 || fd_write_all(fd, bytes, n) < 0 || scratch_tree_make(&tree, &err) < 0)
		return;
	ASSERT(mkdirat(tree.fd, "root", 0700) == 0);
	root = openat(tree.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	beside = openat(tree.fd, "beside", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT(root >= 0 && beside >= 0);
	for (int i = 0; i < 2; i++) {
		(void)walk(root, fd, n, NULL);
		(void)walk(root, fd, n, &room);
	}
	ASSERT(room.bytes >= 0 && room.files >= 0);
	ASSERT(fstat(beside, &st) == 0 && st.st_nlink == 1 && st.st_size == 0);
	ASSERT(fstat(tree.fd, &st) == 0 && st.st_nlink == 3);
}
