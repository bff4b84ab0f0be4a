/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/binfmt/entry.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* Longest line of an entry: a magic of PROGRAM_HEAD bytes in hexadecimal, or an interpreter. */
#define LINE_MAX_BYTES 2048

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Hexadecimal text into at most PROGRAM_HEAD bytes. */
static int take_hex(const char *text, const char *what, uint8_t *dst, unsigned int *ret_len,
		    struct err *err)
{
	size_t n = strlen(text);

	if (!n || n % 2 || n / 2 > PROGRAM_HEAD)
		return err_set(err, ERR_INVALID, "%s of %zu digits", what, n);
	for (size_t i = 0; i < n / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return err_set(err, ERR_INVALID, "%s is not hexadecimal", what);
		dst[i] = (uint8_t)(high * 16 + low);
	}
	*ret_len = (unsigned int)(n / 2);
	return 0;
}

static uint32_t take_flags(const char *letters)
{
	static const struct {
		char letter;
		uint32_t flag;
	} known[] = { { 'P', BINFMT_P }, { 'O', BINFMT_O }, { 'C', BINFMT_C }, { 'F', BINFMT_F } };
	uint32_t flags = 0;

	for (; *letters; letters++)
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (known[i].letter == *letters)
				flags |= known[i].flag;
	return flags;
}

/* What has been seen of one entry while its lines are read. */
struct reading {
	struct binfmt_entry *entry;
	bool state;
	unsigned int mask_len;
};

static int take_line(struct reading *r, const char *line, struct err *err)
{
	struct binfmt_entry *e = r->entry;
	const char *value;
	uint64_t number;

	if (str_eq(line, "enabled") || str_eq(line, "disabled")) {
		e->enabled = line[0] == 'e';
		r->state = true;
	} else if ((value = str_after(line, "interpreter "))) {
		if (!str_copy(e->interpreter, sizeof(e->interpreter), value))
			return err_set(err, ERR_INVALID, "interpreter's path is too long");
	} else if ((value = str_after(line, "flags: "))) {
		e->flags = take_flags(value);
	} else if ((value = str_after(line, "extension ."))) {
		e->kind = BINFMT_EXTENSION;
		if (!str_copy(e->extension, sizeof(e->extension), value))
			e->kind = BINFMT_OPAQUE;
	} else if ((value = str_after(line, "offset "))) {
		if (str_u64(value, "offset", PROGRAM_HEAD, &number, err) < 0)
			return -1;
		e->offset = (unsigned int)number;
	} else if ((value = str_after(line, "magic "))) {
		e->kind = BINFMT_MAGIC;
		return take_hex(value, "magic", e->magic, &e->len, err);
	} else if ((value = str_after(line, "mask "))) {
		return take_hex(value, "mask", e->mask, &r->mask_len, err);
	}
	return 0;
}

static int check_entry(const struct reading *r, struct err *err)
{
	struct binfmt_entry *e = r->entry;

	if (!r->state || !e->interpreter[0])
		return err_set(err, ERR_INVALID, "no state or no interpreter");
	if (e->kind != BINFMT_MAGIC)
		return 0;
	if (!e->len || e->offset + e->len > PROGRAM_HEAD)
		return err_set(err, ERR_INVALID, "magic lies outside the first %d bytes",
			       PROGRAM_HEAD);
	if (r->mask_len && r->mask_len != e->len)
		return err_set(err, ERR_INVALID, "mask and magic differ in length");
	if (!r->mask_len)
		memset(e->mask, 0xff, e->len);
	return 0;
}

int binfmt_entry_parse(const char *name, const char *text, struct binfmt_entry *ret,
		       struct err *err)
{
	struct reading r = { .entry = ret };
	char line[LINE_MAX_BYTES];
	const char *at;
	size_t n;

	memset(ret, 0, sizeof(*ret));
	ret->kind = BINFMT_OPAQUE;
	if (!str_copy(ret->name, sizeof(ret->name), name))
		return err_set(err, ERR_INVALID, "handler's name is too long");
	while (str_line(&text, &at, &n)) {
		if (n >= sizeof(line))
			return err_set(err, ERR_INVALID, "handler %s: line too long", name);
		memcpy(line, at, n);
		line[n] = '\0';
		if (take_line(&r, line, err) < 0)
			return err_in(err, "handler %s", name);
	}
	if (check_entry(&r, err) < 0)
		return err_in(err, "handler %s", name);
	return 0;
}

bool binfmt_entry_rejects(const struct binfmt_entry *e, const uint8_t *head, size_t *ret_at)
{
	if (e->kind != BINFMT_MAGIC)
		return false;
	for (unsigned int i = 0; i < e->len; i++)
		if ((head[e->offset + i] ^ e->magic[i]) & e->mask[i]) {
			*ret_at = e->offset + i;
			return true;
		}
	return false;
}

bool binfmt_entry_matches(const struct binfmt_entry *e, const uint8_t *head, const char *path)
{
	const char *dot = strrchr(path, '.');
	size_t at;

	switch (e->kind) {
	case BINFMT_MAGIC:
		return !binfmt_entry_rejects(e, head, &at);
	case BINFMT_EXTENSION:
		return dot && str_eq(dot + 1, e->extension);
	case BINFMT_OPAQUE:
		break;
	}
	return false;
}
