/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/dynamic.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/cursor.h"
#include "runtime/base/mem.h"

#define ENTRIES_MAX 65536 /* bytes of PT_DYNAMIC that are looked at */
#define NAME_BYTES 1024	  /* of one name */

struct file {
	int fd;
	const struct ident *id;
	struct arena *arena;
	uint8_t *headers; /* the program headers, in the arena */
	size_t headers_size;
	uint64_t at, size; /* PT_DYNAMIC */
	uint64_t strings;  /* DT_STRTAB, as an offset of the file */
};

static bool wide(const struct file *f)
{
	return f->id->cls == ELFCLASS64;
}

static uint64_t take(struct cursor *c, const struct file *f)
{
	return cur_uint(c, wide(f) ? 8 : 4, f->id->order == ELFDATA2MSB);
}

static uint32_t take32(struct cursor *c, const struct file *f)
{
	return (uint32_t)cur_uint(c, 4, f->id->order == ELFDATA2MSB);
}

static int read_at(const struct file *f, void *bytes, size_t n, uint64_t at, size_t *ret_n,
		   struct err *err)
{
	ssize_t got = at > (uint64_t)INT64_MAX - n ? 0 : pread(f->fd, bytes, n, (off_t)at);

	if (got < 0)
		return err_sys(err, ERR_IO, "read dynamic section");
	*ret_n = (size_t)got;
	return 0;
}

/* One program header: its type, and where its bytes are in the file and in memory. */
struct part {
	uint32_t type;
	uint64_t offset, vaddr, filesz;
};

static bool next_part(struct cursor *c, const struct file *f, struct part *ret)
{
	ret->type = take32(c, f);
	if (wide(f))
		cur_skip(c, 4);
	ret->offset = take(c, f);
	ret->vaddr = take(c, f);
	(void)take(c, f);
	ret->filesz = take(c, f);
	(void)take(c, f);
	cur_skip(c, 8);
	return !c->bad;
}

/* Finds PT_DYNAMIC, and with @vaddr the place in the file that is loaded there. */
static bool find_part(const struct file *f, uint64_t vaddr, bool dynamic, struct part *ret)
{
	struct cursor c = cursor_of(f->headers, f->headers_size);

	while (next_part(&c, f, ret))
		if (dynamic ? ret->type == PT_DYNAMIC
			    : ret->type == PT_LOAD && vaddr >= ret->vaddr &&
				      vaddr - ret->vaddr < ret->filesz)
			return true;
	return false;
}

static int take_name(const struct file *f, uint64_t offset, const char **ret, struct err *err)
{
	char name[NAME_BYTES];
	size_t n = 0;

	if (offset > UINT32_MAX)
		return 0;
	if (read_at(f, name, sizeof(name) - 1, f->strings + offset, &n, err) < 0)
		return -1;
	name[n] = '\0';
	*ret = arena_strdup(f->arena, name);
	return *ret ? 0 : err_set(err, ERR_NOMEM, "no memory for names of libraries");
}

/* The entries twice: first where the names are, then the names. */
static int read_entries(struct file *f, const uint8_t *entries, size_t n, struct dynamic *ret,
			struct err *err)
{
	struct cursor c = cursor_of(entries, n);
	int rc = 0;

	for (;;) {
		uint64_t tag = take(&c, f), value = take(&c, f);

		if (c.bad || tag == DT_NULL || rc < 0)
			return rc;
		if (tag == DT_NEEDED && ret->n < DYNAMIC_NEEDED) {
			const char *name = "";

			rc = take_name(f, value, &name, err);
			if (rc == 0 && *name)
				ret->needed[ret->n++] = name;
		} else if (tag == DT_RPATH) {
			rc = take_name(f, value, &ret->rpath, err);
		} else if (tag == DT_RUNPATH) {
			rc = take_name(f, value, &ret->runpath, err);
		}
	}
}

static bool find_strings(struct file *f, const uint8_t *entries, size_t n)
{
	struct cursor c = cursor_of(entries, n);
	struct part p;

	for (;;) {
		uint64_t tag = take(&c, f), value = take(&c, f);

		if (c.bad || tag == DT_NULL)
			return false;
		if (tag != DT_STRTAB)
			continue;
		if (!find_part(f, value, false, &p))
			return false;
		f->strings = p.offset + (value - p.vaddr);
		return true;
	}
}

int dynamic_read(int fd, const struct ident *id, struct arena *arena, struct dynamic *ret,
		 struct err *err)
{
	struct file f = { .fd = fd, .id = id, .arena = arena };
	size_t size = ident_table_size(id), n = 0;
	uint8_t *entries;
	struct part p;

	*ret = (struct dynamic){ .rpath = "", .runpath = "" };
	f.headers = size ? arena_alloc(arena, size) : NULL;
	if (!size)
		return 0;
	if (!f.headers)
		return err_set(err, ERR_NOMEM, "no memory for program headers");
	if (read_at(&f, f.headers, size, id->phoff, &f.headers_size, err) < 0)
		return -1;
	if (!find_part(&f, 0, true, &p) || !p.filesz || p.filesz > ENTRIES_MAX)
		return 0;
	entries = arena_alloc(arena, (size_t)p.filesz);
	if (!entries)
		return err_set(err, ERR_NOMEM, "no memory for a dynamic section");
	if (read_at(&f, entries, (size_t)p.filesz, p.offset, &n, err) < 0)
		return -1;
	return find_strings(&f, entries, n) ? read_entries(&f, entries, n, ret, err) : 0;
}
