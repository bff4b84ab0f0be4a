/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/jemalloc.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/cursor.h"
#include "runtime/base/mem.h"
#include "runtime/image/ident.h"

#define LARGEST_FILE (256u << 20)
#define CHUNK (256u << 10)
#define PARTS_MAX 16
#define REFERENCES_MAX 4
#define ADD_WITHIN 8		/* instructions between the two that make an address */
#define CMP_WITHIN 3		/* and between a comparison and its branch */
#define BLOCK_BEFORE 4		/* and between the begin of a block and the first of those two */
#define BRANCH_REACH (1u << 20) /* bytes, of a conditional branch in either direction */

/* With its end: another text may begin in the same way. */
static const char message[] = "<jemalloc>: Unsupported system page size\n";

/* A loaded segment. */
struct part {
	uint64_t offset, vaddr, size;
	bool code;
};

struct file {
	int fd;
	struct part parts[PARTS_MAX];
	size_t n;
	uint8_t *chunk; /* 2 * BRANCH_REACH bytes */
};

/* Up to @n bytes at @at into the chunk; how many. */
static size_t read_chunk(const struct file *f, uint64_t at, size_t n)
{
	ssize_t got = pread(f->fd, f->chunk, n, (off_t)at);

	return got > 0 ? (size_t)got : 0;
}

/* --- segments -------------------------------------------------------------------------------- */

static void add_part(struct file *f, struct cursor *c, uint64_t size)
{
	uint32_t type = (uint32_t)cur_uint(c, 4, false), flags = (uint32_t)cur_uint(c, 4, false);
	struct part p = { .code = flags & PF_X };

	p.offset = cur_uint(c, 8, false);
	p.vaddr = cur_uint(c, 8, false);
	cur_skip(c, 8);
	p.size = cur_uint(c, 8, false);
	cur_skip(c, 16);
	if (c->bad || type != PT_LOAD || f->n == PARTS_MAX || p.offset > size || p.vaddr % 4 ||
	    p.offset % 4)
		return;
	if (p.size > size - p.offset)
		p.size = size - p.offset;
	f->parts[f->n++] = p;
}

static bool read_parts(struct file *f, uint64_t size)
{
	struct ident id;
	size_t n = read_chunk(f, 0, sizeof(Elf64_Ehdr)), table;
	struct cursor c;

	if (ident_read(f->chunk, n, &id) != IDENT_ELF || id.machine != EM_AARCH64 ||
	    id.cls != ELFCLASS64 || id.order != ELFDATA2LSB)
		return false;
	table = ident_table_size(&id);
	c = cursor_of(f->chunk, id.phoff <= size ? read_chunk(f, id.phoff, table) : 0);
	for (unsigned int i = 0; i < id.phnum && !c.bad; i++)
		add_part(f, &c, size);
	return f->n > 0;
}

/* --- the message ----------------------------------------------------------------------------- */

static bool find_in_part(const struct file *f, const struct part *p, uint64_t *ret)
{
	for (uint64_t at = 0; at < p->size; at += CHUNK) {
		uint64_t left = p->size - at;
		size_t want =
			left < CHUNK + sizeof(message) ? (size_t)left : CHUNK + sizeof(message);
		size_t n = read_chunk(f, p->offset + at, want);
		const uint8_t *found = memmem(f->chunk, n, message, sizeof(message));

		if (found) {
			*ret = p->vaddr + at + (uint64_t)(found - f->chunk);
			return true;
		}
	}
	return false;
}

static bool find_message(const struct file *f, uint64_t *ret)
{
	for (size_t i = 0; i < f->n; i++)
		if (find_in_part(f, &f->parts[i], ret))
			return true;
	return false;
}

/* --- the code -------------------------------------------------------------------------------- */

/* The instruction number @i of the chunk (Arm Architecture Reference Manual, A64 encodings). */
static uint32_t instruction(const struct file *f, size_t i)
{
	const uint8_t *b = f->chunk + i * 4;

	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static int64_t sign_extend(uint32_t value, unsigned int bits)
{
	return (int64_t)(value ^ 1u << (bits - 1)) - (int64_t)(1u << (bits - 1));
}

/* ADRP at @pc: the page whose address it makes. */
static bool is_adrp(uint32_t w, uint64_t pc, uint64_t *ret_page, unsigned int *ret_register)
{
	uint32_t pages = (w >> 5 & 0x7ffff) << 2 | (w >> 29 & 3);

	if ((w & 0x9f000000) != 0x90000000)
		return false;
	*ret_page = (pc & ~UINT64_C(0xfff)) + (uint64_t)(sign_extend(pages, 21) * 4096);
	*ret_register = w & 31;
	return true;
}

/* ADD of an immediate number to a 64-bit register. */
static bool is_add(uint32_t w, unsigned int reg, uint32_t immediate)
{
	return (w & 0xffc00000) == 0x91000000 && (w >> 5 & 31) == reg &&
	       (w >> 10 & 0xfff) == immediate;
}

/* CMP of a 64-bit register with an immediate number: that number, or 0. */
static uint64_t compared(uint32_t w)
{
	uint64_t immediate = w >> 10 & 0xfff;

	if ((w & 0xff80001f) != 0xf100001f)
		return 0;
	return w & 1u << 22 ? immediate << 12 : immediate;
}

/* Where it goes on at @pc after a comparison when the number is higher: by B.HI, or past B.LS. */
static bool is_way_of_higher(uint32_t w, uint64_t pc, uint64_t *ret)
{
	uint32_t condition = w & 0xff00001f;

	*ret = pc +
	       (condition == 0x54000008 ? (uint64_t)(sign_extend(w >> 5 & 0x7ffff, 19) * 4) : 4);
	return condition == 0x54000008 || condition == 0x54000009;
}

static bool makes_address(const struct file *f, size_t i, size_t n, uint64_t pc, uint64_t address)
{
	unsigned int reg;
	uint64_t page;

	if (!is_adrp(instruction(f, i), pc, &page, &reg) || page != (address & ~UINT64_C(0xfff)))
		return false;
	for (size_t k = i + 1; k < n && k <= i + ADD_WITHIN; k++)
		if (is_add(instruction(f, k), reg, address & 0xfff))
			return true;
	return false;
}

/* Where in @p the message's address is made, as addresses; how many. */
static size_t find_references(const struct file *f, const struct part *p, uint64_t message_at,
			      uint64_t ret[REFERENCES_MAX])
{
	size_t found = 0;

	for (uint64_t at = 0; at < p->size && found < REFERENCES_MAX; at += CHUNK) {
		uint64_t left = p->size - at;
		size_t want = left < CHUNK + 4 * ADD_WITHIN ? (size_t)left : CHUNK + 4 * ADD_WITHIN;
		size_t n = read_chunk(f, p->offset + at, want) / 4;

		for (size_t i = 0; i < n && i < CHUNK / 4 && found < REFERENCES_MAX; i++)
			if (makes_address(f, i, n, p->vaddr + at + i * 4, message_at))
				ret[found++] = p->vaddr + at + i * 4;
	}
	return found;
}

static bool is_page_size(uint64_t n)
{
	return n >= 4096 && n <= (1u << 24) && !(n & (n - 1));
}

/* What is compared on the way to @target, a place in @p. */
static uint64_t find_limit(const struct file *f, const struct part *p, uint64_t target)
{
	uint64_t inside = target - p->vaddr;
	uint64_t at = inside > BRANCH_REACH ? inside - BRANCH_REACH : 0;
	uint64_t left = p->size - at;
	size_t want = left < 2 * BRANCH_REACH ? (size_t)left : 2 * BRANCH_REACH;
	size_t n = read_chunk(f, p->offset + at, want) / 4;

	for (size_t i = CMP_WITHIN; i < n; i++) {
		uint64_t to;

		if (!is_way_of_higher(instruction(f, i), p->vaddr + at + i * 4, &to) ||
		    to > target || target - to > 4 * BLOCK_BEFORE)
			continue;
		for (size_t k = 1; k <= CMP_WITHIN; k++)
			if (is_page_size(compared(instruction(f, i - k))))
				return compared(instruction(f, i - k));
	}
	return 0;
}

static uint64_t find_page(const struct file *f)
{
	uint64_t message_at, references[REFERENCES_MAX], page = 0;

	if (!find_message(f, &message_at))
		return 0;
	for (size_t i = 0; i < f->n && !page; i++) {
		const struct part *p = &f->parts[i];
		size_t n = p->code ? find_references(f, p, message_at, references) : 0;

		for (size_t k = 0; k < n && !page; k++)
			page = find_limit(f, p, references[k]);
	}
	return page;
}

uint64_t jemalloc_page_of_file(int fd, uint64_t size)
{
	CLEANUP_FREE uint8_t *chunk =
		size <= LARGEST_FILE ? malloc((size_t)2 * BRANCH_REACH) : NULL;
	struct file f = { .fd = fd, .chunk = chunk };

	return chunk && read_parts(&f, size) ? find_page(&f) : 0;
}
