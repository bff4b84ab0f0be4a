/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/binfmt/rule.h"

#include <elf.h>
#include <string.h>

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#define MACHINE_END 20 /* behind e_machine */
#define FLAGS_32 36    /* e_flags of a 32-bit header */
#define HEADER_32 40   /* behind it */

/* True when e_flags is all that tells @a from an architecture with another emulator. */
static bool flags_decide(const struct arch *a)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	for (size_t i = 0; i < n; i++)
		if (rows[i].machine == a->machine && rows[i].cls == a->cls &&
		    rows[i].order == a->order && rows[i].qemu && !str_eq(rows[i].qemu, a->qemu))
			return true;
	return false;
}

/* Fills magic and mask; returns their length. */
static size_t pattern(const struct arch *a, uint8_t *magic, uint8_t *mask)
{
	bool big = a->order == ELFDATA2MSB;

	arch_header(a, magic);
	memset(mask, 0, ARCH_HEADER);
	memset(mask, 0xff, EI_OSABI);
	memset(mask + EI_NIDENT, 0xff, MACHINE_END - EI_NIDENT);
	mask[EI_NIDENT + (big ? 1 : 0)] = 0xfe; /* ET_EXEC is 2, ET_DYN 3 */
	if (a->cls != ELFCLASS32 || !flags_decide(a))
		return MACHINE_END;
	for (unsigned int i = 0; i < 4; i++)
		mask[FLAGS_32 + i] = (uint8_t)(a->flags_mask >> (big ? 24 - 8 * i : 8 * i));
	memset(magic + MACHINE_END, 0, FLAGS_32 - MACHINE_END);
	return HEADER_32;
}

static int put_bytes(struct buf *b, const uint8_t *bytes, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (buf_printf(b, err, "\\x%02x", bytes[i]) < 0)
			return -1;
	return buf_printf(b, err, ":");
}

int register_line(const struct arch *a, const char *name, const char *interpreter,
		  const char *flags, char ret[REGISTER_MAX + 1], struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(REGISTER_MAX);
	uint8_t magic[ARCH_HEADER], mask[ARCH_HEADER];
	size_t n = pattern(a, magic, mask);

	if (strpbrk(interpreter, ":\n"))
		return err_set(err, ERR_INVALID, "a colon in the path %s cannot be registered",
			       interpreter);
	if (buf_printf(&b, err, ":%s:M::", name) < 0 || put_bytes(&b, magic, n, err) < 0 ||
	    put_bytes(&b, mask, n, err) < 0 || buf_printf(&b, err, "%s:%s", interpreter, flags) < 0)
		return err_in(err, "line for binfmt_misc");
	memcpy(ret, buf_str(&b), b.len + 1);
	return 0;
}

void binfmt_entry_for(const struct arch *a, const char *name, const char *interpreter,
		      uint32_t flags, struct binfmt_entry *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)str_copy(ret->name, sizeof(ret->name), name);
	(void)str_copy(ret->interpreter, sizeof(ret->interpreter), interpreter);
	ret->kind = BINFMT_MAGIC;
	ret->enabled = true;
	ret->flags = flags;
	ret->len = (unsigned int)pattern(a, ret->magic, ret->mask);
}

/* The letters in the kernel's own order. */
void binfmt_flag_letters(uint32_t flags, char ret[8])
{
	(void)str_fmt(ret, 8, "%s%s%s%s", flags & BINFMT_P ? "P" : "", flags & BINFMT_O ? "O" : "",
		      flags & BINFMT_C ? "C" : "", flags & BINFMT_F ? "F" : "");
}

int register_again(const struct binfmt_entry *e, char ret[REGISTER_MAX + 1], struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(REGISTER_MAX);
	char flags[8];
	int rc;

	if (e->kind == BINFMT_OPAQUE || strpbrk(e->interpreter, ":\n"))
		return err_set(err, ERR_UNSUPPORTED, "handler %s has no line", e->name);
	binfmt_flag_letters(e->flags, flags);
	if (e->kind == BINFMT_EXTENSION) {
		rc = buf_printf(&b, err, ":%s:E::%s::", e->name, e->extension);
	} else {
		rc = buf_printf(&b, err, ":%s:M:%u:", e->name, e->offset);
		if (rc == 0)
			rc = put_bytes(&b, e->magic, e->len, err);
		if (rc == 0)
			rc = put_bytes(&b, e->mask, e->len, err);
	}
	if (rc < 0 || buf_printf(&b, err, "%s:%s", e->interpreter, flags) < 0)
		return err_in(err, "line for binfmt_misc");
	memcpy(ret, buf_str(&b), b.len + 1);
	return 0;
}
