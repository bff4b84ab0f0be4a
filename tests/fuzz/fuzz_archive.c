/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/archive_store.h"
#include "runtime/cli/scratch_tree.h"
#include "runtime/containerd/chain_id.h"
#include "tests/fuzz/fuzz.h"

/* The list of files that a process gives which has read the archive. */
static void list(const uint8_t *bytes, size_t n)
{
	CLEANUP(archive_list_deinit) struct archive_list l = ARCHIVE_LIST_INIT;
	struct err err;

	if (buf_add(&l.names, bytes, n, &err) < 0 || archive_list_parse(&l, 1 << 30, &err) < 0)
		return;
	for (size_t i = 0; i < l.n; i++) {
		const struct archive_member *m = archive_list_find(&l, l.members[i].name);

		ASSERT(!m || (!m->link && m->at >= 0 && m->size >= 0));
		ASSERT(m || l.members[i].link || archive_list_find(&l, l.members[i].name) == m);
	}
}

/* The document that says which images there are, as the file @name of a directory. */
static void store(const char *name, const uint8_t *bytes, size_t n)
{
	CLEANUP_SCRATCH_TREE struct scratch_tree tree = SCRATCH_TREE_INIT;
	CLEANUP_ARENA struct arena arena = { .max = 64u << 20 };
	CLEANUP_ARCHIVE_STORE struct archive_store s = { .file = NULL };
	CLEANUP_ARCHIVE_FILE struct archive_file f = ARCHIVE_FILE_INIT;
	char place[512];
	struct err err = ERR_INIT;

	if (scratch_tree_make(&tree, &err) < 0 ||
	    file_replace(tree.fd, name, 0600, bytes, n, &err) < 0 ||
	    archive_file_open_dir(tree.path, &f, &err) < 0)
		return;
	if (archive_store_open(&f, &arena, &s, &err) < 0) {
		ASSERT(err.code != ERR_NONE && *err.text);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		const char *digest = s.names[i].target.digest;

		ASSERT(digest_is_valid(digest) && *s.names[i].name);
		ASSERT(archive_store_place(&s, digest, place, sizeof(place), &err) == 0);
		ASSERT(place[0] != '/' && !strstr(place, ".."));
	}
}

/* The first byte says which of the three it is. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	if (!n)
		return;
	if (bytes[0] == 'i')
		store("index.json", bytes + 1, n - 1);
	else if (bytes[0] == 'm')
		store("manifest.json", bytes + 1, n - 1);
	else
		list(bytes + 1, n - 1);
}
