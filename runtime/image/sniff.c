/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/image/sniff.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/image/ident.h"
#include "runtime/image/script.h"
#include "runtime/image/text_kind.h"

/* Magic numbers. 0xcafebabe opens both fat Mach-O files and Java classes: see cafebabe(). */
static const struct {
	uint8_t bytes[4];
	uint8_t n;
	enum image_kind kind;
} magics[] = {
	{ { 0xfe, 0xed, 0xfa, 0xce }, 4, IMAGE_MACHO },
	{ { 0xce, 0xfa, 0xed, 0xfe }, 4, IMAGE_MACHO },
	{ { 0xfe, 0xed, 0xfa, 0xcf }, 4, IMAGE_MACHO },
	{ { 0xcf, 0xfa, 0xed, 0xfe }, 4, IMAGE_MACHO },
	{ { 0x00, 'a', 's', 'm' }, 4, IMAGE_WASM },
	{ { 'P', 'K', 0x03, 0x04 }, 4, IMAGE_ZIP },
	{ { 0x1f, 0x8b }, 2, IMAGE_GZIP },
	{ { 'M', 'Z', 'q', 'F' }, 4, IMAGE_APE },
	{ { 'j', 'a', 'r', 't' }, 4, IMAGE_APE }, /* of "jartsr='", without a Windows part */
	{ { 'M', 'Z' }, 2, IMAGE_PE },
	{ { 0xff, 0xfe }, 2, IMAGE_UTF16 },
	{ { 0xfe, 0xff }, 2, IMAGE_UTF16 },
};

static bool all_zero(const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

/* Printable ASCII, white space, or bytes of UTF-8 beyond ASCII. */
static bool looks_like_text(const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (b[i] < 0x20 ? !strchr("\t\n\v\f\r\033", b[i]) || !b[i] : b[i] == 0x7f)
			return false;
	return true;
}

/* A class file continues with its version (45 and up), a fat Mach-O with a small count of parts. */
static enum image_kind cafebabe(const uint8_t *b)
{
	return b[4] || b[5] || b[6] || b[7] >= 45 ? IMAGE_JAVA_CLASS : IMAGE_MACHO;
}

enum image_kind sniff_type(uint16_t type)
{
	switch (type) {
	case ET_EXEC:
	case ET_DYN:
		return IMAGE_ELF;
	case ET_REL:
		return IMAGE_OBJECT;
	case ET_CORE:
		return IMAGE_CORE;
	default:
		return IMAGE_CUT; /* nothing runs or links these */
	}
}

static enum image_kind sniff_elf(const uint8_t *b, size_t n)
{
	struct ident id;

	if (ident_read(b, n, &id) != IDENT_ELF)
		return IMAGE_CUT;
	return sniff_type(id.type);
}

enum image_kind sniff(const void *bytes, size_t n, uint64_t size)
{
	static const uint8_t java[4] = { 0xca, 0xfe, 0xba, 0xbe }, bom[3] = { 0xef, 0xbb, 0xbf };
	const uint8_t *b = bytes;
	struct script script;

	if (!size || !n)
		return IMAGE_EMPTY;
	if (n >= SELFMAG && memcmp(b, ELFMAG, SELFMAG) == 0)
		return sniff_elf(b, n);
	switch (script_read(b, n, &script)) {
	case SCRIPT_OK:
		return IMAGE_SCRIPT;
	case SCRIPT_NAMELESS:
		return IMAGE_NAMELESS;
	case SCRIPT_LONG:
		return IMAGE_LONG;
	case SCRIPT_NONE:
		break;
	}
	if (all_zero(b, n))
		return IMAGE_ZEROS;
	if (n >= 8 && memcmp(b, java, sizeof(java)) == 0)
		return cafebabe(b);
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (n >= magics[i].n && memcmp(b, magics[i].bytes, magics[i].n) == 0)
			return magics[i].kind;
	if (n >= sizeof(bom) && memcmp(b, bom, sizeof(bom)) == 0)
		return IMAGE_BOM;
	return looks_like_text(b, n) ? text_kind(b, n) : IMAGE_DATA;
}

const char *sniff_words(enum image_kind kind)
{
	static const char *const words[IMAGE_KIND_N] = {
		[IMAGE_EMPTY] = "an empty file",
		[IMAGE_ZEROS] = "a file of zero bytes",
		[IMAGE_ELF] = "an ELF program",
		[IMAGE_CUT] = "a damaged ELF file",
		[IMAGE_OBJECT] = "an ELF object file",
		[IMAGE_CORE] = "an ELF core dump",
		[IMAGE_SCRIPT] = "a script",
		[IMAGE_NAMELESS] = "a script",
		[IMAGE_LONG] = "a script",
		[IMAGE_BOM] = "a text file",
		[IMAGE_UTF16] = "a text file in UTF-16",
		[IMAGE_HTML] = "a web page (HTML)",
		[IMAGE_XML] = "an XML document",
		[IMAGE_JSON] = "a JSON document",
		[IMAGE_ANSWER] = "the error message of a server",
		[IMAGE_LFS] = "a pointer of git-lfs",
		[IMAGE_APE] = "an actually portable executable (APE)",
		[IMAGE_TEXT] = "a text file",
		[IMAGE_MACHO] = "a macOS program (Mach-O)",
		[IMAGE_PE] = "a Windows program (PE)",
		[IMAGE_ASSEMBLY] = "a .NET assembly",
		[IMAGE_WASM] = "a WebAssembly module",
		[IMAGE_ZIP] = "a zip archive (perhaps a Java archive)",
		[IMAGE_JAVA_CLASS] = "a Java class file",
		[IMAGE_GZIP] = "a gzip-compressed file",
		[IMAGE_DATA] = "a file of unknown format",
	};

	return kind < IMAGE_KIND_N ? words[kind] : words[IMAGE_DATA];
}
