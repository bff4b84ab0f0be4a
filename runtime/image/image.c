/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/image.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/mem.h"

/* Up to @n bytes at @at; less only at the end of the file. */
static ssize_t read_at(int fd, void *bytes, size_t n, uint64_t at)
{
	char *p = bytes;
	size_t done = 0;

	if (at > (uint64_t)INT64_MAX - n)
		return 0;
	while (done < n) {
		ssize_t got = pread(fd, p + done, n - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* PT_INTERP must be a terminated string of at most PATH_MAX bytes, or execve fails. */
static int read_interp(int fd, struct image *img, struct err *err)
{
	const struct segments *s = &img->segments;
	ssize_t n;

	if (!s->interp_len)
		return 0;
	if (s->interp_len < 2 || s->interp_len > PATH_MAX || s->interp_at > img->size ||
	    s->interp_len > img->size - s->interp_at) {
		img->interp_bad = true;
		return 0;
	}
	if (s->interp_len > sizeof(img->interp))
		return 0;
	n = read_at(fd, img->interp, (size_t)s->interp_len, s->interp_at);
	if (n < 0)
		return err_sys(err, ERR_IO, "read program's loader name");
	if ((uint64_t)n != s->interp_len || img->interp[n - 1]) {
		img->interp_bad = true;
		img->interp[0] = '\0';
	}
	return 0;
}

static int read_property(int fd, struct image *img, struct err *err)
{
	const struct segments *s = &img->segments;
	uint8_t note[512];
	ssize_t n;

	if (!s->property_len || s->property_len > sizeof(note))
		return 0;
	n = read_at(fd, note, (size_t)s->property_len, s->property_at);
	if (n < 0)
		return err_sys(err, ERR_IO, "read program's notes");
	img->x86_level = property_x86_level(&img->ident, note, (size_t)n);
	return 0;
}

static int read_elf(int fd, uint64_t page, struct image *img, struct err *err)
{
	size_t size = ident_table_size(&img->ident);
	CLEANUP_FREE uint8_t *table = NULL;
	ssize_t n;

	if (!size) {
		img->kind = IMAGE_CUT;
		return 0;
	}
	table = malloc(size);
	if (!table)
		return err_set(err, ERR_NOMEM, "no memory for program headers");
	n = read_at(fd, table, size, img->ident.phoff);
	if (n < 0)
		return err_sys(err, ERR_IO, "read program headers");
	if ((size_t)n != size) {
		img->kind = IMAGE_CUT;
		return 0;
	}
	segments_read(&img->ident, table, size, img->size, page, &img->segments);
	if (read_interp(fd, img, err) < 0)
		return -1;
	return read_property(fd, img, err);
}

/* Zeros at the front prove nothing about a disk image, so a little more is looked at. */
static int read_zeros(int fd, struct image *img, struct err *err)
{
	static const uint8_t zero[4096];
	uint8_t more[4096];
	ssize_t n = read_at(fd, more, sizeof(more), 0);

	if (n < 0)
		return err_sys(err, ERR_IO, "read file");
	if (memcmp(more, zero, (size_t)n) != 0)
		img->kind = IMAGE_DATA;
	return 0;
}

int image_read(int fd, uint64_t size, uint64_t page, struct image *ret, struct err *err)
{
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	ret->size = size;
	n = read_at(fd, ret->head, sizeof(ret->head), 0);
	if (n < 0)
		return err_sys(err, ERR_IO, "read file");
	ret->head_len = (size_t)n;
	ret->kind = sniff(ret->head, ret->head_len, size);
	if (ret->kind == IMAGE_ZEROS)
		return read_zeros(fd, ret, err);
	if (ret->kind == IMAGE_SCRIPT)
		(void)script_read(ret->head, ret->head_len, &ret->script);
	if (ret->kind == IMAGE_ELF || ret->kind == IMAGE_OBJECT || ret->kind == IMAGE_CORE)
		(void)ident_read(ret->head, ret->head_len, &ret->ident);
	return ret->kind == IMAGE_ELF ? read_elf(fd, page, ret, err) : 0;
}
