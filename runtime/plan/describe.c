/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/image/text_kind.h"
#include "runtime/plan/elf_load.h"
#include "runtime/plan/sentence.h"

#define ENABLED_SHOWN 20    /* names of platforms */
#define CHAIN_MAX_BYTES 200 /* of a program with its interpreters */

/* The first @n links of the chain. */
static void put_links(struct sentence *s, size_t n)
{
	if (!n)
		text_add(s->out, "the program");
	for (size_t i = 0; i < n; i++) {
		if (i)
			text_add(s->out, " -> ");
		text_name(s->out, s->f->chain[i].path, CHAIN_MAX_BYTES / n);
	}
}

void put_program(struct sentence *s)
{
	put_links(s, s->f->n_chain);
}

/* All but what the last script names. */
static void put_scripts(struct sentence *s)
{
	put_links(s, s->f->n_chain > 1 ? s->f->n_chain - 1 : s->f->n_chain);
}

static void put_last(struct sentence *s)
{
	const char *path = facts_last(s->f)->path;

	text_name(s->out, path ? path : "", NAME_MAX_BYTES);
}

/* The script that names the last link. */
static void put_script(struct sentence *s)
{
	size_t n = s->f->n_chain;

	text_name(s->out, n > 1 ? s->f->chain[n - 2].path : "", NAME_MAX_BYTES);
}

static void put_kind(struct sentence *s)
{
	const struct language *l = sentence_language(s);

	text_add(s->out, l ? l->words : sniff_words(facts_last(s->f)->image.kind));
}

/* "64-bit big-endian S/390", from a header of any machine. */
static void put_words(struct sentence *s, const struct ident *id, const struct arch *a)
{
	text_printf(s->out, "%d-bit %s-endian ", id->cls == ELFCLASS64 ? 64 : 32,
		    id->order == ELFDATA2MSB ? "big" : "little");
	if (a)
		text_printf(s->out, "%s%s%s", a->processor, a->abi[0] ? ", " : "", a->abi);
	else
		text_printf(s->out, "machine %u", id->machine);
}

static void put_image_platform(struct sentence *s, const struct image *img)
{
	const struct ident *id = &img->ident;
	const struct arch *a;

	if (img->kind != IMAGE_ELF) {
		text_add(s->out, sniff_words(img->kind));
		return;
	}
	a = arch_of_elf(id->machine, id->cls, id->order, id->flags);
	text_printf(s->out, "linux/%s (", a ? a->name : "unknown");
	put_words(s, id, a);
	if (memcmp(img->head + EI_ABIVERSION, "AI", 2) == 0)
		text_add(s->out, ", an AppImage");
	text_add(s->out, ")");
}

static void put_platform(struct sentence *s)
{
	put_image_platform(s, &facts_last(s->f)->image);
}

/* "X is linux/arm64 (...) but this node is linux/amd64", or of what is no machine code "X is ..."
 */
static void put_foreign(struct sentence *s)
{
	put_program(s);
	text_add(s->out, " is ");
	put_platform(s);
	if (facts_last(s->f)->image.kind == IMAGE_ELF)
		text_printf(s->out, " but this node is linux/%s", s->f->host->arch->name);
}

static void put_system(struct sentence *s)
{
	static const char *const names[SYSTEM_N] = {
		[SYSTEM_LINUX] = "a Linux",
		[SYSTEM_FREEBSD] = "a FreeBSD",
		[SYSTEM_NETBSD] = "a NetBSD",
		[SYSTEM_OPENBSD] = "an OpenBSD",
		[SYSTEM_DRAGONFLY] = "a DragonFly BSD",
		[SYSTEM_SOLARIS] = "a Solaris or illumos",
		[SYSTEM_ANDROID] = "an Android",
	};

	text_add(s->out, names[facts_last(s->f)->image.system]);
}

static void put_node(struct sentence *s)
{
	text_printf(s->out, "linux/%s", s->f->host->arch->name);
}

/* In front of a reason that is about the emulated program, not the emulator. */
static void put_through(struct sentence *s)
{
	if (!s->p->handler)
		return;
	text_add(s->out, "the handler ");
	text_name(s->out, s->p->handler->name, 40);
	text_add(s->out, " would run it, but ");
}

static void put_qemu_level(struct sentence *s)
{
	text_printf(s->out, "%u", load_emulated_level(s->f));
}

static void put_model_level(struct sentence *s)
{
	text_printf(s->out, "%u", load_model_level(s->f));
}

/* The processor that the emulator imitates, and where that comes from. */
static void put_processor(struct sentence *s)
{
	const char *model = s->f->cpu_model;

	if (load_model_level(s->f) == load_emulated_level(s->f)) {
		text_add(s->out, "qemu imitates a processor of x86-64-v");
		put_qemu_level(s);
		text_add(s->out, " at most");
		return;
	}
	if (model && *model) {
		text_add(s->out, "QEMU_CPU is ");
		text_name(s->out, model, NAME_MAX_BYTES);
		text_add(s->out, " there, a processor of x86-64-v");
	} else {
		text_add(s->out, "qemu imitates, unless it is told otherwise, a processor of "
				 "x86-64-v");
	}
	put_model_level(s);
}

static void put_handler(struct sentence *s)
{
	text_name(s->out, s->p->handler ? s->p->handler->name : "", 40);
}

static void put_rival(struct sentence *s)
{
	text_name(s->out, s->f->rival ? s->f->rival->name : "", 40);
}

static void put_emulator(struct sentence *s)
{
	text_name(s->out, s->p->handler ? s->p->handler->interpreter : "", NAME_MAX_BYTES);
}

static void put_emulator_label(struct sentence *s)
{
	text_add(s->out, s->p->handler ? emulator_kind_of(s->p->handler)->label : "");
}

static void put_wanted_model(struct sentence *s)
{
	const char *model = s->p->guest ? settings_cpu(s->f->settings, s->p->guest) : "";

	text_name(s->out, *model ? model : "of the configuration", NAME_MAX_BYTES);
}

/* Why a file that is there cannot be executed, in a few words. */
static void put_file_mode(struct sentence *s, const struct program_file *e)
{
	if (e->found == FOUND_DIRECTORY)
		text_add(s->out, "a directory");
	else if (e->found != FOUND_FILE)
		text_add(s->out, "no regular file");
	else if (e->noexec)
		text_add(s->out, "mounted noexec");
	else
		text_printf(s->out, "mode %04o", e->mode & 07777);
}

static void put_emulator_mode(struct sentence *s)
{
	put_file_mode(s, &s->f->emulator);
}

static void put_emulator_kind(struct sentence *s)
{
	text_add(s->out, sniff_words(s->f->emulator.image.kind));
}

static void put_emulator_platform(struct sentence *s)
{
	put_image_platform(s, &s->f->emulator.image);
}

static void put_emulator_loader(struct sentence *s)
{
	text_name(s->out, s->f->emulator_loader.path ? s->f->emulator_loader.path : "",
		  NAME_MAX_BYTES);
}

static void put_emulator_version(struct sentence *s)
{
	text_printf(s->out, "%u.%u.%u", s->f->emulator_version.major, s->f->emulator_version.minor,
		    s->f->emulator_version.patch);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "enabled here: arm64, riscv64": the architectures that handlers are enabled for, sorted. */
void put_enabled(struct sentence *s)
{
	const char *names[64];
	size_t n_rows, n = 0;
	const struct arch *rows = arch_rows(&n_rows);

	for (size_t i = 0; i < n_rows && s->f->binfmt->state == BINFMT_ON; i++)
		if (n < ARRAY_SIZE(names) && binfmt_registry_for(s->f->binfmt, &rows[i], false) &&
		    (!i || !str_eq(rows[i].name, rows[i - 1].name)))
			names[n++] = rows[i].name;
	if (!n) {
		text_add(s->out, "none is enabled here");
		return;
	}
	qsort(names, n, sizeof(names[0]), by_name);
	text_add(s->out, "enabled here: ");
	for (size_t i = 0; i < n; i++)
		if (i < ENABLED_SHOWN)
			text_printf(s->out, "%s%s", i ? ", " : "", names[i]);
	if (n > ENABLED_SHOWN)
		text_printf(s->out, " and %zu more", n - ENABLED_SHOWN);
}

static void put_byte(struct sentence *s)
{
	const struct binfmt_entry *e = s->p->handler;
	size_t at = s->p->byte;

	text_printf(s->out, "%zu (0x%02x where it wants 0x%02x, mask 0x%02x)", at,
		    facts_last(s->f)->image.head[at], e->magic[at - e->offset],
		    e->mask[at - e->offset]);
}

static void put_level(struct sentence *s)
{
	unsigned int own = facts_last(s->f)->image.x86_level;
	unsigned int loader = s->f->loader.image.x86_level;

	text_printf(s->out, "%u", own > loader ? own : loader);
}

static void put_node_level(struct sentence *s)
{
	text_printf(s->out, "%u", s->f->host->x86_level);
}

static void put_page(struct sentence *s)
{
	text_printf(s->out, "%llu", (unsigned long long)s->f->host->page_size);
}

static void put_program_page(struct sentence *s)
{
	uint64_t own = facts_last(s->f)->image.segments.largest_page;
	uint64_t loader = s->f->loader.image.segments.largest_page;

	text_printf(s->out, "%llu",
		    (unsigned long long)(!own || (loader && loader < own) ? loader : own));
}

static void put_loader(struct sentence *s)
{
	text_name(s->out, s->f->loader.path ? s->f->loader.path : "", NAME_MAX_BYTES);
}

static void put_other_loader(struct sentence *s)
{
	text_add(s->out, s->f->other_loader ? s->f->other_loader : "");
}

static void put_allocator(struct sentence *s)
{
	text_name(s->out, s->f->allocator ? s->f->allocator : "it", NAME_MAX_BYTES);
}

static void put_allocator_page(struct sentence *s)
{
	text_printf(s->out, "%llu", (unsigned long long)s->f->allocator_page);
}

static void put_library(struct sentence *s)
{
	text_name(s->out, s->f->library ? s->f->library : "it needs", NAME_MAX_BYTES);
}

static void put_library_page(struct sentence *s)
{
	text_printf(s->out, "%llu", (unsigned long long)s->f->library_page);
}

static void put_loader_platform(struct sentence *s)
{
	put_image_platform(s, &s->f->loader.image);
}

static void put_loader_mode(struct sentence *s)
{
	const struct program_file *l = &s->f->loader;

	put_file_mode(s, l);
}

static void put_mode(struct sentence *s)
{
	text_printf(s->out, "%04o", facts_last(s->f)->mode & 07777);
}

static void put_asking(struct sentence *s)
{
	text_add(s->out,
		 s->f->settings->wanted_by_pod ? "the pod asks" : "the pod's runtime class asks");
}

static void put_wanted(struct sentence *s)
{
	char text[PLATFORM_TEXT];

	platform_format(&s->f->settings->wanted, text);
	text_add(s->out, text);
}

void put_declared(struct sentence *s)
{
	char text[PLATFORM_TEXT];

	platform_format(&s->f->declared, text);
	text_add(s->out, text);
}

static void put_go_version(struct sentence *s)
{
	const struct version *v = &s->f->go_version;

	if (v->major)
		text_printf(s->out, "Go %u.%u.%u", v->major, v->minor, v->patch);
	else
		text_add(s->out, "version unknown");
}

static void put_memory(struct sentence *s)
{
	text_printf(s->out, "%llu", (unsigned long long)(s->f->memory_max >> 20));
}

static void put_syscall(struct sentence *s)
{
	const struct seccomp_fit *fit = &s->f->seccomp;

	text_add(s->out, fit->denied ? fit->denied : fit->blocked ? fit->blocked : "");
}

static const struct placeholder placeholders[] = {
	{ "allocator", put_allocator },
	{ "allocator-page", put_allocator_page },
	{ "asking", put_asking },
	{ "byte", put_byte },
	{ "declared", put_declared },
	{ "emulator", put_emulator },
	{ "emulator-kind", put_emulator_kind },
	{ "emulator-label", put_emulator_label },
	{ "emulator-loader", put_emulator_loader },
	{ "emulator-mode", put_emulator_mode },
	{ "emulator-platform", put_emulator_platform },
	{ "emulator-version", put_emulator_version },
	{ "enabled", put_enabled },
	{ "file", put_last },
	{ "foreign", put_foreign },
	{ "go-version", put_go_version },
	{ "handler", put_handler },
	{ "kind", put_kind },
	{ "level", put_level },
	{ "library", put_library },
	{ "library-page", put_library_page },
	{ "loader", put_loader },
	{ "loader-kind", put_loader_platform },
	{ "loader-mode", put_loader_mode },
	{ "loader-platform", put_loader_platform },
	{ "memory", put_memory },
	{ "mode", put_mode },
	{ "model-level", put_model_level },
	{ "near", put_handler },
	{ "node", put_node },
	{ "node-level", put_node_level },
	{ "other-loader", put_other_loader },
	{ "page", put_page },
	{ "platform", put_platform },
	{ "processor", put_processor },
	{ "program", put_program },
	{ "program-page", put_program_page },
	{ "qemu-level", put_qemu_level },
	{ "rival", put_rival },
	{ "script", put_script },
	{ "scripts", put_scripts },
	{ "syscall", put_syscall },
	{ "system", put_system },
	{ "through", put_through },
	{ "wanted", put_wanted },
	{ "wanted-model", put_wanted_model },
};

const struct placeholder *describe_placeholders(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(placeholders);
	return placeholders;
}
