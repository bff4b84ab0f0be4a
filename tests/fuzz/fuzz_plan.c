/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/cursor.h"
#include "runtime/base/str.h"
#include "runtime/plan/diagnosis.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/line.h"

/* Takes facts out of the input, byte by byte; an input that ends gives zeros. */
struct source {
	struct cursor c;
	char texts[32][24];
	size_t n_texts;
};

static unsigned int number(struct source *s, unsigned int below)
{
	return cur_u8(&s->c) % below;
}

static const char *text(struct source *s)
{
	char *t = s->texts[s->n_texts++ % ARRAY_SIZE(s->texts)];
	const uint8_t *bytes = cur_bytes(&s->c, 16);

	memset(t, 0, 24);
	t[0] = '/';
	if (bytes)
		memcpy(t + 1, bytes, 16);
	return t;
}

static struct program_file file(struct source *s)
{
	struct program_file f = { .found = (enum found_kind)number(s, FOUND_FILE + 1),
				  .mode = (mode_t)number(s, 2) * 0755 |
					  (number(s, 2) ? S_ISUID : 0),
				  .noexec = number(s, 8) == 1 };
	struct image *img = &f.image;
	size_t n_rows;
	const struct arch *rows = arch_rows(&n_rows);

	f.path = text(s);
	f.volume = number(s, 4) ? NULL : text(s);
	img->kind = (enum image_kind)number(s, IMAGE_KIND_N);
	arch_header(&rows[number(s, (unsigned int)n_rows)], img->head);
	img->head[number(s, ARCH_HEADER)] ^= (uint8_t)number(s, 255);
	if (img->kind == IMAGE_ELF && ident_read(img->head, ARCH_HEADER, &img->ident) != IDENT_ELF)
		img->kind = IMAGE_CUT;
	img->interp_bad = number(s, 8) == 1;
	img->x86_level = number(s, 5);
	img->segments.cut = number(s, 4) == 1;
	img->segments.dead = number(s, 8) == 1;
	img->segments.impossible = number(s, 8) == 1;
	img->segments.empty = number(s, 8) == 1;
	img->system = (enum ident_system)number(s, SYSTEM_N);
	img->system_noted = number(s, 2);
	img->segments.largest_page = 1u << number(s, 20);
	img->script.crlf = number(s, 2);
	return f;
}

static struct binfmt_entry entry(struct source *s)
{
	struct binfmt_entry e = { .kind = (enum binfmt_kind)number(s, 3),
				  .enabled = number(s, 4) > 0,
				  .flags = number(s, 16),
				  .len = 20 };
	size_t n_rows;
	const struct arch *rows = arch_rows(&n_rows);
	uint8_t head[ARCH_HEADER];

	arch_header(&rows[number(s, (unsigned int)n_rows)], head);
	memcpy(e.magic, head, e.len);
	memset(e.mask, 0xff, e.len);
	(void)str_copy(e.name, sizeof(e.name), number(s, 2) ? "qemu-x" : text(s));
	(void)str_copy(e.interpreter, sizeof(e.interpreter), text(s));
	return e;
}

static void check_line(const struct facts *f, const struct plan *p, enum cause c)
{
	char line[DIAGNOSIS_MAX + 1];

	diagnosis_line(f, p, c, line);
	ASSERT(str_after(line, "crossarch[") && strstr(line, ". Fix: "));
	ASSERT(strlen(line) <= DIAGNOSIS_MAX);
	fuzz_check_line(line);
}

void fuzz_one(uint8_t *bytes, size_t n)
{
	struct source s = { .c = cursor_of(bytes, n) };
	struct host host = { arch_by_name(number(&s, 2) ? "amd64" : "arm64", 5),
			     (enum host_can)number(&s, 3),
			     (enum host_can)number(&s, 3),
			     number(&s, 5),
			     number(&s, 2) ? 4096 : 65536,
			     false };
	struct binfmt_entry entries[3] = { entry(&s), entry(&s), entry(&s) };
	struct binfmt_registry registry = { (enum binfmt_state)number(&s, BINFMT_ON + 1),
					    number(&s, 8) == 1, entries, number(&s, 4), 3 };
	struct settings settings;
	struct facts f = { .host = &host, .binfmt = &registry, .settings = &settings };
	struct plan p;

	settings_init(&settings);
	settings.emulation_never = number(&s, 4) == 1;
	settings.seccomp_keep = number(&s, 4) == 1;
	if (number(&s, 4) == 1)
		settings.wanted = (struct platform){ "linux", "arm64", "" };
	if (number(&s, 4) == 1)
		f.declared = (struct platform){ "linux", "amd64", "v3" };
	f.purpose = (enum facts_purpose)number(&s, 3);
	f.own_binfmt = number(&s, 4) == 1;
	f.hooks_before = number(&s, 8) == 1;
	f.emulator_is_qemu = number(&s, 2);
	f.n_chain = number(&s, FACTS_CHAIN + 1);
	for (size_t i = 0; i < f.n_chain; i++)
		f.chain[i] = file(&s);
	f.loader = file(&s);
	f.emulator = file(&s);
	f.emulator_loader = file(&s);
	f.other_loader = number(&s, 2) ? "/lib/ld-musl-x86_64.so.1" : NULL;
	f.seccomp.blocked = number(&s, 4) == 1 ? "mmap" : NULL;
	f.memory_max = number(&s, 255) << 20;
	f.emulator_level = number(&s, 5);
	f.emulator_most = number(&s, 5);
	f.cpu_model = number(&s, 4) == 1 ? text(&s) : NULL;
	f.chain[0].image.segments.misplaced = number(&s, 2);
	if (registry.state == BINFMT_ON && f.n_chain && facts_last(&f)->found == FOUND_FILE)
		f.handler = binfmt_registry_match(&registry, facts_last(&f)->image.head,
						  facts_last(&f)->path, false, &f.rival);
	plan_make(&f, &p);
	ASSERT(p.verdict > VERDICT_NONE && p.verdict < VERDICT_N);
	ASSERT((p.verdict == VERDICT_REFUSE) == (p.cause != CAUSE_NONE));
	ASSERT(p.verdict != VERDICT_EMULATE || p.handler);
	ASSERT(p.program_level <= 4 && p.image_level <= 4);
	if (p.cause)
		check_line(&f, &p, p.cause);
	for (size_t i = 0; i < p.n_warnings; i++)
		check_line(&f, &p, p.warnings[i]);
}
