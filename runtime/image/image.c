/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/image.h"

#include <elf.h>
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
	char name[PATH_MAX];
	ssize_t n;

	if (!s->interp)
		return 0;
	if (s->interp_len < 2 || s->interp_len > PATH_MAX || s->interp_at > img->size ||
	    s->interp_len > img->size - s->interp_at) {
		img->interp_bad = true;
		return 0;
	}
	n = read_at(fd, name, (size_t)s->interp_len, s->interp_at);
	if (n < 0)
		return err_sys(err, ERR_IO, "read program's loader name");
	/* The kernel opens what is in front of the first NUL. */
	img->interp_bad = (uint64_t)n != s->interp_len || name[n - 1] || !name[0];
	if (!img->interp_bad && strlen(name) < sizeof(img->interp))
		memcpy(img->interp, name, strlen(name) + 1);
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

/* Up to @n bytes of the first PT_NOTE: those that name a system are small and come first. */
static int read_notes(int fd, struct image *img, struct err *err)
{
	const struct segments *s = &img->segments;
	uint8_t notes[256];
	ssize_t n;

	if (!s->note_len)
		return 0;
	n = read_at(fd, notes, s->note_len < sizeof(notes) ? (size_t)s->note_len : sizeof(notes),
		    s->note_at);
	if (n < 0)
		return err_sys(err, ERR_IO, "read program's notes");
	img->system = notes_system(&img->ident, notes, (size_t)n);
	return 0;
}

/* Whose program it is: notes are certain, a loader's name nearly, the OS ABI is often left out. */
static int read_system(int fd, struct image *img, struct err *err)
{
	uint8_t osabi = img->head[EI_OSABI];

	if (read_notes(fd, img, err) < 0)
		return -1;
	img->system_noted = img->system != SYSTEM_LINUX;
	if (!img->system)
		img->system = loader_system(&img->ident, img->interp);
	if (img->system)
		return 0;
	img->system = osabi == ELFOSABI_FREEBSD	  ? SYSTEM_FREEBSD
		      : osabi == ELFOSABI_NETBSD  ? SYSTEM_NETBSD
		      : osabi == ELFOSABI_OPENBSD ? SYSTEM_OPENBSD
		      : osabi == ELFOSABI_SOLARIS ? SYSTEM_SOLARIS
						  : SYSTEM_LINUX;
	return 0;
}

static int read_elf(int fd, const struct host *host, struct image *img, struct err *err)
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
	segments_read(&img->ident, table, size, img->size, host->page_size, &img->segments);
	if (read_interp(fd, img, err) < 0 || read_system(fd, img, err) < 0)
		return -1;
	return read_property(fd, img, err);
}

/* A .NET assembly is a PE file whose 15th data directory is not empty (ECMA-335, II.25). */
static int read_pe(int fd, struct image *img, struct err *err)
{
	uint8_t b[1024] = { 0 };
	ssize_t n = read_at(fd, b, sizeof(b), 0);
	size_t at = b[0x3c] | (size_t)b[0x3d] << 8;

	if (n < 0)
		return err_sys(err, ERR_IO, "read file");
	if (at + 256 > sizeof(b) || memcmp(b + at, "PE\0\0", 4) != 0)
		return 0;
	at += 24; /* the optional header; its magic 0x20b means 64-bit sizes */
	at += b[at] == 0x0b && b[at + 1] == 2 ? 112 : 96;
	at += 14 * 8;
	if (at + 8 <= sizeof(b) && (b[at] | b[at + 1] | b[at + 2] | b[at + 3]))
		img->kind = IMAGE_ASSEMBLY;
	return 0;
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

int image_read(int fd, uint64_t size, const struct host *host, struct image *ret, struct err *err)
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
	if (ret->kind == IMAGE_PE)
		return read_pe(fd, ret, err);
	if (ret->kind == IMAGE_SCRIPT)
		(void)script_read(ret->head, ret->head_len, &ret->script);
	if (ident_read_by(host, ret->head, ret->head_len, &ret->ident) == IDENT_ELF)
		ret->kind = sniff_type(ret->ident.type);
	return ret->kind == IMAGE_ELF ? read_elf(fd, host, ret, err) : 0;
}
