/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/ident.h"

#include <elf.h>
#include <string.h>

#include "runtime/base/cursor.h"
#include "runtime/base/mem.h"

/* Property types of the x86-64 psABI, "Program Property". */
#define PROPERTY_X86_ISA_NEEDED 0xc0008002u
#define ISA_V2 2u
#define ISA_V3 4u
#define ISA_V4 8u

#ifndef PT_GNU_PROPERTY
#define PT_GNU_PROPERTY 0x6474e553
#endif

static bool wide(const struct ident *id)
{
	return id->cls == ELFCLASS64;
}

static bool big(const struct ident *id)
{
	return id->order == ELFDATA2MSB;
}

/* A field as wide as the class's addresses. */
static uint64_t take_addr(struct cursor *c, const struct ident *id)
{
	return cur_uint(c, wide(id) ? 8 : 4, big(id));
}

enum ident_result ident_read(const void *bytes, size_t n, struct ident *ret)
{
	struct cursor c = cursor_of(bytes, n);
	const uint8_t *magic = cur_bytes(&c, SELFMAG);
	struct ident id = { 0 };

	if (!magic || memcmp(magic, ELFMAG, SELFMAG) != 0)
		return IDENT_NOT_ELF;
	id.cls = cur_u8(&c);
	id.order = cur_u8(&c);
	if ((id.cls != ELFCLASS32 && id.cls != ELFCLASS64) ||
	    (id.order != ELFDATA2LSB && id.order != ELFDATA2MSB))
		return IDENT_CUT;
	cur_skip(&c, EI_NIDENT - EI_VERSION);
	id.type = (uint16_t)cur_uint(&c, 2, big(&id));
	id.machine = (uint16_t)cur_uint(&c, 2, big(&id));
	cur_skip(&c, 4); /* e_version: the kernel does not look at it either */
	id.entry = take_addr(&c, &id);
	id.phoff = take_addr(&c, &id);
	(void)take_addr(&c, &id); /* e_shoff */
	id.flags = (uint32_t)cur_uint(&c, 4, big(&id));
	id.ehsize = (uint16_t)cur_uint(&c, 2, big(&id));
	id.phentsize = (uint16_t)cur_uint(&c, 2, big(&id));
	id.phnum = (uint16_t)cur_uint(&c, 2, big(&id));
	cur_skip(&c, 6); /* section headers */
	if (c.bad)
		return IDENT_CUT;
	*ret = id;
	return IDENT_ELF;
}

/* The class in which a kernel that knows its programs by e_machine reads @head; 0: not its own. */
static uint8_t class_by(const struct host *host, const uint8_t *head)
{
	const struct arch *own = host->arch;
	bool msb = own->order == ELFDATA2MSB;
	struct cursor machine_at = cursor_of(head + 18, 2), size_at = cursor_of(head + 54, 2);
	uint16_t machine = (uint16_t)cur_uint(&machine_at, 2, msb);
	size_t n;
	const struct arch *rows = arch_rows(&n);

	if (machine == own->machine) {
		/* x32 has the same e_machine: the size of a program header tells them apart. */
		bool whole = head[EI_CLASS] == ELFCLASS64 ||
			     cur_uint(&size_at, 2, msb) == sizeof(Elf64_Phdr);

		return own->any_class && own->cls == ELFCLASS64 && whole ? ELFCLASS64 : 0;
	}
	for (size_t i = 0; i < n; i++)
		if (rows[i].machine == machine && rows[i].order == own->order &&
		    rows[i].any_class && rows[i].compat_of &&
		    strcmp(rows[i].compat_of, own->name) == 0)
			return rows[i].cls;
	return 0;
}

enum ident_result ident_read_by(const struct host *host, const uint8_t head[256], size_t n,
				struct ident *ret)
{
	uint8_t cls = class_by(host, head);
	uint8_t copy[sizeof(Elf64_Ehdr)];

	if (!cls || memcmp(head, ELFMAG, SELFMAG) != 0)
		return ident_read(head, n, ret);
	memcpy(copy, head, sizeof(copy));
	copy[EI_CLASS] = cls;
	copy[EI_DATA] = host->arch->order;
	return ident_read(copy, sizeof(copy), ret);
}

size_t ident_header_size(const struct ident *id)
{
	return wide(id) ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

size_t ident_table_size(const struct ident *id)
{
	size_t each = wide(id) ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	size_t size = each * id->phnum;

	return id->phentsize == each && size <= SEGMENTS_MAX ? size : 0;
}

struct segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};

static void take_segment(struct cursor *c, const struct ident *id, struct segment *ret)
{
	ret->type = (uint32_t)cur_uint(c, 4, big(id));
	ret->flags = wide(id) ? (uint32_t)cur_uint(c, 4, big(id)) : 0;
	ret->offset = take_addr(c, id);
	ret->vaddr = take_addr(c, id);
	(void)take_addr(c, id); /* p_paddr */
	ret->filesz = take_addr(c, id);
	ret->memsz = take_addr(c, id);
	if (!wide(id))
		ret->flags = (uint32_t)cur_uint(c, 4, big(id));
	ret->align = take_addr(c, id);
}

/* True when byte @at lies in pages of which the file, @size bytes long, holds nothing. */
static bool beyond(uint64_t at, uint64_t size, uint64_t page)
{
	return at / page > (size ? (size - 1) / page : 0) || size == 0;
}

/* Beyond this no processor has addresses for programs. */
#define ADDRESS_END (1ull << 56)

/* What cannot be mapped, on whatever node. A segment without bytes of the file is memory. */
static bool is_impossible(const struct segment *s)
{
	if (s->filesz > ADDRESS_END || s->memsz > ADDRESS_END || s->vaddr > ADDRESS_END - s->memsz)
		return true;
	return s->filesz && s->offset > (uint64_t)INT64_MAX - s->filesz;
}

/*
 * A cut segment need not stop a program: it dies only when it touches what is missing. Certain is
 * that for the page of the entry point, and for the page where the kernel itself clears the rest
 * behind the data of a writable segment.
 */
static void judge_load(const struct ident *id, const struct segment *s, uint64_t file_size,
		       uint64_t page, bool *entry_dead, struct segments *ret)
{
	uint64_t skew = s->vaddr - s->offset, end = s->offset + s->filesz;

	ret->empty = ret->empty && !s->memsz;
	if ((s->flags & PF_W) && !ret->data_len) {
		ret->data_at = s->offset;
		ret->data_len = s->filesz;
	}
	ret->impossible = ret->impossible || is_impossible(s);
	ret->overfull = ret->overfull || s->filesz > s->memsz;
	if (!s->filesz)
		return;
	ret->misplaced = ret->misplaced || (s->align % page == 0 && s->offset < s->vaddr % page);
	skew &= -skew; /* the largest power of two that divides it: pages up to that size will do */
	if (skew && (!ret->largest_page || skew < ret->largest_page))
		ret->largest_page = skew;
	/* Segments are mapped over each other: the last one that has the page counts. */
	if (id->entry / page >= s->vaddr / page &&
	    id->entry / page <= (s->vaddr + s->filesz - 1) / page)
		*entry_dead = beyond(s->offset + (id->entry - s->vaddr), file_size, page);
	if (end < s->offset || end <= file_size)
		return;
	ret->cut = true;
	if ((s->flags & PF_W) && s->memsz > s->filesz && end % page &&
	    beyond(end - 1, file_size, page))
		ret->dead = true;
}

void segments_read(const struct ident *id, const void *bytes, size_t n, uint64_t file_size,
		   uint64_t page, struct segments *ret)
{
	struct cursor c = cursor_of(bytes, n);
	bool entry_dead = false, dynamic_dead = false;

	memset(ret, 0, sizeof(*ret));
	ret->empty = true;
	for (unsigned int i = 0; i < id->phnum; i++) {
		struct segment s;

		take_segment(&c, id, &s);
		if (c.bad)
			break;
		if (s.type == PT_LOAD) {
			judge_load(id, &s, file_size, page, &entry_dead, ret);
		} else if (s.type == PT_INTERP && !ret->interp) {
			ret->interp = true;
			ret->interp_at = s.offset;
			ret->interp_len = s.filesz;
		} else if (s.type == PT_GNU_PROPERTY) {
			ret->property_at = s.offset;
			ret->property_len = s.filesz;
		} else if (s.type == PT_NOTE && !ret->note_len) {
			ret->note_at = s.offset;
			ret->note_len = s.filesz;
		} else if (s.type == PT_DYNAMIC && s.filesz && beyond(s.offset, file_size, page)) {
			dynamic_dead = true;
		}
	}
	/* Every loader reads PT_DYNAMIC; a program without one need not. */
	ret->dead = ret->dead || entry_dead || (dynamic_dead && ret->interp);
}

static const struct {
	const char *note; /* the name in its notes */
	enum ident_system system;
} noted[] = {
	{ "FreeBSD", SYSTEM_FREEBSD }, { "NetBSD", SYSTEM_NETBSD },
	{ "OpenBSD", SYSTEM_OPENBSD }, { "DragonFly", SYSTEM_DRAGONFLY },
	{ "Android", SYSTEM_ANDROID },
};

static enum ident_system system_noted(const uint8_t *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(noted); i++)
		if (strlen(noted[i].note) + 1 == n && memcmp(name, noted[i].note, n) == 0)
			return noted[i].system;
	return SYSTEM_LINUX;
}

enum ident_system notes_system(const struct ident *id, const void *bytes, size_t n)
{
	struct cursor c = cursor_of(bytes, n);

	while (!c.bad && c.left) {
		size_t name_size = (size_t)cur_uint(&c, 4, big(id));
		size_t size = (size_t)cur_uint(&c, 4, big(id));
		const uint8_t *name;
		enum ident_system system;

		cur_skip(&c, 4);
		if (name_size > c.left || size > c.left)
			break;
		name = cur_bytes(&c, (name_size + 3) / 4 * 4);
		system = name ? system_noted(name, name_size) : SYSTEM_LINUX;
		if (system)
			return system;
		cur_skip(&c, (size + 3) / 4 * 4);
	}
	return SYSTEM_LINUX;
}

/* /lib/ld.so.1 and the like are Linux's, too, on other machines. */
enum ident_system loader_system(const struct ident *id, const char *interp)
{
	static const struct {
		const char *path;
		enum ident_system system;
	} loaders[] = {
		{ "/libexec/ld-elf.so.1", SYSTEM_FREEBSD },
		{ "/libexec/ld-elf32.so.1", SYSTEM_FREEBSD },
		{ "/libexec/ld.elf_so", SYSTEM_NETBSD },
		{ "/usr/libexec/ld.elf_so", SYSTEM_NETBSD },
		{ "/usr/libexec/ld.so", SYSTEM_OPENBSD },
		{ "/libexec/ld-elf.so.2", SYSTEM_DRAGONFLY },
		{ "/usr/libexec/ld-elf.so.2", SYSTEM_DRAGONFLY },
		{ "/system/bin/linker", SYSTEM_ANDROID },
		{ "/system/bin/linker64", SYSTEM_ANDROID },
		{ "/usr/lib/ld.so.1", SYSTEM_SOLARIS },
		{ "/usr/lib/amd64/ld.so.1", SYSTEM_SOLARIS },
		{ "/lib/amd64/ld.so.1", SYSTEM_SOLARIS },
		{ "/lib/64/ld.so.1", SYSTEM_SOLARIS },
	};
	bool x86 = id->machine == EM_X86_64 || id->machine == EM_386;

	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++)
		if (strcmp(loaders[i].path, interp) == 0 &&
		    (x86 || loaders[i].system != SYSTEM_SOLARIS))
			return loaders[i].system;
	return SYSTEM_LINUX;
}

static unsigned int level_of(uint32_t needed)
{
	return needed & ISA_V4 ? 4 : needed & ISA_V3 ? 3 : needed & ISA_V2 ? 2 : 0;
}

/* The properties of one note: type, size, data padded to the class's word. */
static unsigned int properties_level(const struct ident *id, const uint8_t *bytes, size_t n)
{
	struct cursor c = cursor_of(bytes, n);
	size_t word = wide(id) ? 8 : 4;

	while (!c.bad && c.left) {
		uint32_t type = (uint32_t)cur_uint(&c, 4, big(id));
		size_t size = (size_t)cur_uint(&c, 4, big(id));

		if (type == PROPERTY_X86_ISA_NEEDED && size == 4) {
			uint32_t needed = (uint32_t)cur_uint(&c, 4, big(id));

			return c.bad ? 0 : level_of(needed);
		}
		if (size > c.left)
			return 0;
		cur_skip(&c, (size + word - 1) / word * word);
	}
	return 0;
}

unsigned int property_x86_level(const struct ident *id, const void *bytes, size_t n)
{
	struct cursor c = cursor_of(bytes, n);
	size_t name_size = (size_t)cur_uint(&c, 4, big(id));
	size_t size = (size_t)cur_uint(&c, 4, big(id));
	uint32_t type = (uint32_t)cur_uint(&c, 4, big(id));
	const uint8_t *name = cur_bytes(&c, 4), *data = cur_bytes(&c, size);

	if (id->machine != EM_X86_64 || !name || !data || type != NT_GNU_PROPERTY_TYPE_0 ||
	    name_size != 4 || memcmp(name, "GNU", 4) != 0)
		return 0;
	return properties_level(id, data, size);
}
