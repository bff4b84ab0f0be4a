/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/elf_load.h"

#include <elf.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* Linux takes machine number 6 for another name of its 32-bit x86. */
static uint16_t machine_of(const struct ident *id)
{
	return id->machine == EM_IAMCU ? EM_386 : id->machine;
}

static bool same_machine(const struct ident *a, const struct ident *b)
{
	return machine_of(a) == machine_of(b) && a->cls == b->cls && a->order == b->order;
}

/* An ELF image's row; NULL for what is no ELF or of an unknown machine. */
static const struct arch *image_arch(const struct image *img)
{
	const struct ident *id = &img->ident;

	return img->kind == IMAGE_ELF ? arch_of_elf(id->machine, id->cls, id->order, id->flags)
				      : NULL;
}

/* A loader is missing. Which other one is there shows whether the ABI or the C library differs. */
static enum cause judge_missing_loader(const struct facts *f, const struct arch *guest)
{
	if (facts_last(f)->image.system)
		return CAUSE_SYSTEM;
	if (!f->other_loader)
		return CAUSE_LOADER_MISSING;
	for (size_t i = 0; guest->loaders[i]; i++)
		if (str_eq(guest->loaders[i], f->other_loader))
			return CAUSE_LOADER_OTHER;
	return CAUSE_ABI_LOADER;
}

/* Where it is true, what is not in the file says nothing: segments were looked for in the wrong
 * pages. */
static bool outgrown(const struct facts *f, const struct segments *s)
{
	return s->largest_page && s->largest_page < f->host->page_size;
}

static enum cause judge_loader_segments(const struct facts *f, const struct segments *s)
{
	if (s->impossible || s->overfull || s->empty)
		return CAUSE_LOADER_BROKEN;
	if (outgrown(f, s))
		return CAUSE_PAGE_SIZE;
	return s->dead ? CAUSE_LOADER_BROKEN : CAUSE_NONE;
}

/* The kernel opens the loader like a program. */
static enum cause judge_loader(const struct facts *f, const struct program_file *program)
{
	const struct program_file *l = &f->loader;

	if (!l->path)
		return CAUSE_NONE;
	switch (l->found) {
	case FOUND_UNKNOWN:
		return CAUSE_NONE;
	case FOUND_MISSING:
	case FOUND_LOOP:
		return judge_missing_loader(f, image_arch(&program->image));
	case FOUND_DIRECTORY:
	case FOUND_SPECIAL:
		return CAUSE_LOADER_MODE;
	case FOUND_FILE:
		break;
	}
	if (l->noexec)
		return CAUSE_LOADER_NOEXEC;
	if (!(l->mode & 0111))
		return CAUSE_LOADER_MODE;
	if (l->image.kind != IMAGE_ELF || l->image.size < ident_header_size(&l->image.ident))
		return CAUSE_LOADER_NOT_ELF;
	if (!same_machine(&l->image.ident, &program->image.ident))
		return CAUSE_LOADER_FOREIGN;
	return judge_loader_segments(f, &l->image.segments);
}

static unsigned int declared_level(const struct platform *p)
{
	bool level = str_eq(p->arch, "amd64") && p->variant[0] == 'v' && p->variant[1] >= '2' &&
		     p->variant[1] <= '4' && !p->variant[2];

	return level ? (unsigned int)(p->variant[1] - '0') : 0;
}

/* glibc's loader refuses programs and itself on a processor below what their notes ask for. */
static unsigned int glibc_level(const struct facts *f, const struct image *img)
{
	bool glibc = f->loader.path && strstr(f->loader.path, "/ld-linux-x86-64.so.2");
	unsigned int want = img->x86_level;

	if (!glibc || img->ident.machine != EM_X86_64)
		return 0;
	if (f->loader.found == FOUND_FILE && f->loader.image.x86_level > want)
		want = f->loader.image.x86_level;
	return want;
}

static enum cause judge_cpu(const struct facts *f, const struct image *img)
{
	unsigned int have = f->host->x86_level;

	if (!have || img->ident.machine != EM_X86_64)
		return CAUSE_NONE;
	if (glibc_level(f, img) > have)
		return CAUSE_CPU_PROGRAM;
	return declared_level(&f->declared) > have ? CAUSE_CPU_DECLARED : CAUSE_NONE;
}

/* Whether the file can be mapped, by what its program headers say. */
static enum cause judge_segments(const struct facts *f, const struct program_file *program)
{
	const struct segments *s = &program->image.segments;

	if (s->impossible || s->overfull)
		return CAUSE_SEGMENTS;
	/* A loader can run without the program being there. */
	if (s->empty && (program->image.ident.type == ET_DYN || !s->interp))
		return CAUSE_SEGMENTS;
	if (outgrown(f, s))
		return CAUSE_PAGE_SIZE;
	return s->dead ? CAUSE_CUT_SEGMENT : CAUSE_NONE;
}

/* A note is a proof; Android's programs without its loader run here, too. */
static enum cause judge_system(const struct facts *f)
{
	const struct image *img = &facts_last(f)->image;

	return img->kind == IMAGE_ELF && img->system_noted && img->system != SYSTEM_ANDROID
		       ? CAUSE_SYSTEM
		       : CAUSE_NONE;
}

enum cause load_native(const struct facts *f)
{
	const struct program_file *program = facts_last(f);
	enum cause why = judge_system(f);

	/* In the order of the kernel: nothing is mapped before the loader is open. */
	if (!why && program->image.interp_bad)
		why = CAUSE_INTERP;
	if (!why)
		why = judge_loader(f, program);
	if (!why)
		why = judge_segments(f, program);
	return why ? why : judge_cpu(f, &program->image);
}

/* --- qemu-user ------------------------------------------------------------------------------- */

#define GUEST_PAGE 4096 /* the smallest any of its targets has */

/*
 * Segments have to fit the guest's pages; where the node's are larger, qemu copies what it cannot
 * map. But before 8 it takes the node's for the guest's where p_align allows for them, and maps a
 * segment that is then not where it has to be from an offset below 0 (seen with 5.2 and 7.2).
 */
static bool pages_too_large(const struct facts *f, const struct segments *s)
{
	bool old = f->emulator_version.major && f->emulator_version.major < 8;

	return (s->largest_page && s->largest_page < GUEST_PAGE) || (old && s->misplaced);
}

/* A header that qemu takes for no program, or segments that it cannot map. */
static bool is_headless(const struct image *img)
{
	return img->head[EI_VERSION] != EV_CURRENT ||
	       img->ident.ehsize != ident_header_size(&img->ident);
}

static bool is_unfit(const struct facts *f, const struct image *img)
{
	const struct segments *s = &img->segments;

	return is_headless(img) || s->impossible || s->empty || pages_too_large(f, s);
}

static enum cause judge_guest_loader(const struct facts *f, const struct program_file *program)
{
	const struct program_file *l = &f->loader;

	if (!l->path || l->found == FOUND_UNKNOWN)
		return CAUSE_NONE;
	if (l->found == FOUND_MISSING || l->found == FOUND_LOOP)
		return judge_missing_loader(f, image_arch(&program->image));
	if (l->found != FOUND_FILE)
		return CAUSE_LOADER_MODE;
	if (l->image.kind != IMAGE_ELF)
		return CAUSE_LOADER_NOT_ELF;
	if (!same_machine(&l->image.ident, &program->image.ident))
		return CAUSE_LOADER_FOREIGN;
	return is_unfit(f, &l->image) ? CAUSE_LOADER_BROKEN : CAUSE_NONE;
}

/*
 * The most its translator has, where it was not asked: AVX2 came with 7.2, and AVX-512 not up to
 * 11.1. What later versions have is not known.
 */
unsigned int load_emulated_level(const struct facts *f)
{
	const struct version *v = &f->emulator_version;

	if (f->emulator_most)
		return f->emulator_most;
	if (v->major > 11)
		return 4;
	return v->major && (v->major < 7 || (v->major == 7 && v->minor < 2)) ? 2 : 3;
}

/*
 * Models of older processors, and what glibc's loader takes them for (with qemu 7.2, 10.0 and
 * 11.1). Of all others, and of those with features added or taken away, nothing is known.
 */
static const struct {
	const char *name;
	unsigned int level;
} old_models[] = {
	{ "qemu64", 1 },     { "kvm64", 1 },	   { "core2duo", 1 },	{ "Conroe", 1 },
	{ "Penryn", 1 },     { "phenom", 1 },	   { "Opteron_G1", 1 }, { "Opteron_G2", 1 },
	{ "Opteron_G3", 1 }, { "Opteron_G4", 2 },  { "Opteron_G5", 2 }, { "Nehalem", 2 },
	{ "Westmere", 2 },   { "SandyBridge", 2 }, { "IvyBridge", 2 },	{ "Denverton", 2 },
	{ "Snowridge", 2 },
};

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int load_model_level(const struct facts *f)
{
	unsigned int most = load_emulated_level(f);
	const char *model = f->cpu_model ? f->cpu_model : "";

	if (f->emulator_level)
		return least(f->emulator_level, most);
	for (size_t i = 0; i < ARRAY_SIZE(old_models); i++) {
		const char *rest = str_after(model, old_models[i].name);

		/* Penryn-v1, Nehalem-IBRS */
		if (rest && (!*rest || *rest == '-') && !strchr(rest, ','))
			return least(old_models[i].level, most);
	}
	return most;
}

void load_levels_wanted(const struct facts *f, unsigned int *ret_program, unsigned int *ret_image)
{
	const struct image *img = &facts_last(f)->image;
	bool amd64 = img->kind == IMAGE_ELF && img->ident.machine == EM_X86_64;

	*ret_program = amd64 ? glibc_level(f, img) : 0;
	*ret_image = amd64 ? declared_level(&f->declared) : 0;
}

enum cause load_emulated_cpu(const struct facts *f)
{
	unsigned int program, image;

	load_levels_wanted(f, &program, &image);
	if (program > load_emulated_level(f))
		return CAUSE_CPU_EMULATED;
	if (program > load_model_level(f))
		return CAUSE_CPU_MODEL;
	return image > load_model_level(f) ? CAUSE_CPU_DECLARED_EMULATED : CAUSE_NONE;
}

enum cause load_emulated(const struct facts *f)
{
	const struct program_file *program = facts_last(f);
	const struct image *img = &program->image;
	const struct segments *s = &img->segments;
	enum cause why = judge_system(f);

	if (why)
		return why;
	if (img->kind == IMAGE_CUT)
		return CAUSE_CUT;
	if (img->kind != IMAGE_ELF)
		return CAUSE_NONE;
	if (is_headless(img))
		return CAUSE_CUT;
	if (img->interp_bad)
		return CAUSE_INTERP;
	if (s->impossible || s->empty)
		return CAUSE_SEGMENTS;
	if (pages_too_large(f, s))
		return CAUSE_PAGE_SIZE;
	why = judge_guest_loader(f, program);
	return why ? why : load_emulated_cpu(f);
}
