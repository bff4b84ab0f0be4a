/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/diagnosis.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/plan/text.h"

#define NAME_MAX_BYTES 80   /* of one file in a sentence */
#define ENABLED_SHOWN 20    /* names of platforms */
#define CHAIN_MAX_BYTES 200 /* of a program with its interpreters */

/* What a placeholder may draw on. */
struct sentence {
	const struct facts *f;
	const struct plan *p;
	struct text *out;
};

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

static void put_program(struct sentence *s)
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
	text_add(s->out, sniff_words(facts_last(s->f)->image.kind));
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
	text_add(s->out, ")");
}

static void put_platform(struct sentence *s)
{
	put_image_platform(s, &facts_last(s->f)->image);
}

static void put_node(struct sentence *s)
{
	text_printf(s->out, "linux/%s", s->f->host->arch->name);
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

static void put_emulator_mode(struct sentence *s)
{
	const struct program_file *e = &s->f->emulator;

	if (e->found == FOUND_DIRECTORY)
		text_add(s->out, "a directory");
	else if (e->found != FOUND_FILE)
		text_add(s->out, "no regular file");
	else if (e->noexec)
		text_add(s->out, "mounted noexec");
	else
		text_printf(s->out, "mode %04o", e->mode & 07777);
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
static void put_enabled(struct sentence *s)
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

/* The name to type for the guest: OCI's, or qemu's where OCI has none. */
static void put_arch(struct sentence *s)
{
	const struct arch *a = s->p->guest;

	if (a)
		text_add(s->out, a->oci || !a->qemu ? a->name : a->qemu);
}

static void put_qemu(struct sentence *s)
{
	const struct arch *a = s->p->guest;

	text_add(s->out, a && a->qemu ? a->qemu : "user");
}

static void put_install_bare(struct sentence *s)
{
	text_add(s->out, "\"crossarch emulators install ");
	put_arch(s);
	text_add(s->out, "\"");
}

static void put_install(struct sentence *s)
{
	text_add(s->out, "run ");
	put_install_bare(s);
	text_add(s->out, " on the node");
}

static void put_schedule(struct sentence *s)
{
	const struct arch *a = s->p->guest;

	if (!a || !a->oci) {
		text_printf(s->out, "use an image built for linux/%s", s->f->host->arch->name);
		return;
	}
	text_printf(s->out, "schedule the pod on %s nodes (nodeSelector kubernetes.io/arch: %s)",
		    a->name, a->name);
}

/* The two ways out for a program of another architecture. */
static void put_obtain(struct sentence *s)
{
	if (s->p->guest && s->p->guest->qemu) {
		put_install(s);
		text_add(s->out, ", or ");
	}
	put_schedule(s);
}

static void put_obtain_32bit(struct sentence *s)
{
	if (str_eq(s->f->host->arch->name, "amd64"))
		text_add(s->out, "boot the node with ia32_emulation=1, or ");
	put_install(s);
	text_printf(s->out, ", or use an image built for linux/%s", s->f->host->arch->name);
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
	text_printf(s->out, "%llu",
		    (unsigned long long)facts_last(s->f)->image.segments.largest_page);
}

static void put_loader(struct sentence *s)
{
	text_name(s->out, s->f->loader.path ? s->f->loader.path : "", NAME_MAX_BYTES);
}

static void put_other_loader(struct sentence *s)
{
	text_add(s->out, s->f->other_loader ? s->f->other_loader : "");
}

static void put_loader_platform(struct sentence *s)
{
	put_image_platform(s, &s->f->loader.image);
}

static void put_mode(struct sentence *s)
{
	text_printf(s->out, "%04o", facts_last(s->f)->mode & 07777);
}

/* Where the program lives, for advice about a mount. */
static void put_place(struct sentence *s)
{
	const char *volume = facts_last(s->f)->volume;

	text_name(s->out, volume ? volume : "the root file system", NAME_MAX_BYTES);
}

/* What is on a volume did not come with the image, and a rebuilt image would not change it. */
static void put_renew(struct sentence *s)
{
	if (facts_last(s->f)->volume)
		text_add(s->out, "write the file to that volume again");
	else
		text_add(s->out, "remove the image on this node (crictl rmi) and let it be pulled "
				 "again; if the file stays like this, the image was built so");
}

static void put_allow_execution(struct sentence *s)
{
	if (facts_last(s->f)->volume) {
		text_add(s->out, "give the file mode 0755 on the volume (of a ConfigMap or Secret: "
				 "defaultMode: 0755)");
		return;
	}
	text_add(s->out, "add RUN chmod +x ");
	put_last(s);
	text_add(s->out, " to the image's build");
}

static void put_wanted(struct sentence *s)
{
	char text[PLATFORM_TEXT];

	platform_format(&s->f->settings->wanted, text);
	text_add(s->out, text);
}

static void put_declared(struct sentence *s)
{
	char text[PLATFORM_TEXT];

	platform_format(&s->f->declared, text);
	text_add(s->out, text);
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

static const struct {
	const char *name;
	void (*put)(struct sentence *s);
} placeholders[] = {
	{ "allow-execution", put_allow_execution },
	{ "arch", put_arch },
	{ "byte", put_byte },
	{ "declared", put_declared },
	{ "emulator", put_emulator },
	{ "emulator-kind", put_emulator_kind },
	{ "emulator-loader", put_emulator_loader },
	{ "emulator-mode", put_emulator_mode },
	{ "emulator-platform", put_emulator_platform },
	{ "emulator-version", put_emulator_version },
	{ "enabled", put_enabled },
	{ "file", put_last },
	{ "handler", put_handler },
	{ "install", put_install },
	{ "install-bare", put_install_bare },
	{ "kind", put_kind },
	{ "level", put_level },
	{ "loader", put_loader },
	{ "loader-kind", put_loader_platform },
	{ "loader-platform", put_loader_platform },
	{ "memory", put_memory },
	{ "mode", put_mode },
	{ "near", put_handler },
	{ "node", put_node },
	{ "node-level", put_node_level },
	{ "obtain", put_obtain },
	{ "obtain-32bit", put_obtain_32bit },
	{ "other-loader", put_other_loader },
	{ "page", put_page },
	{ "place", put_place },
	{ "platform", put_platform },
	{ "program", put_program },
	{ "program-page", put_program_page },
	{ "qemu", put_qemu },
	{ "renew", put_renew },
	{ "rival", put_rival },
	{ "schedule", put_schedule },
	{ "script", put_script },
	{ "scripts", put_scripts },
	{ "syscall", put_syscall },
	{ "wanted", put_wanted },
};

static void put_placeholder(struct sentence *s, const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(placeholders); i++)
		if (strlen(placeholders[i].name) == n &&
		    memcmp(placeholders[i].name, name, n) == 0) {
			placeholders[i].put(s);
			return;
		}
	ASSERT(!"a cause names an unknown placeholder");
}

static void put_template(struct sentence *s, const char *template)
{
	char piece[256];

	while (*template) {
		size_t n = strcspn(template, "{");

		(void)str_fmt(piece, sizeof(piece), "%.*s", (int)n, template);
		text_add(s->out, piece);
		template += n;
		if (!*template)
			break;
		n = strcspn(template, "}");
		put_placeholder(s, template + 1, n - 1);
		template += n + 1;
	}
}

/* A last sentence when the image says it is something else, unless the line said so already. */
static void put_label(struct sentence *s, const struct cause_row *row)
{
	const struct arch *guest = facts_guest(s->f), *declared = platform_arch(&s->f->declared);

	if (!guest || !declared || str_eq(guest->name, declared->name) ||
	    strstr(row->what, "{declared}") || strstr(row->why, "{declared}"))
		return;
	text_add(s->out, " The image declares ");
	put_declared(s);
	text_add(s->out, ".");
}

/* A program that came in by a volume was not built with the image: say where from. */
static void put_volume(struct sentence *s)
{
	const struct program_file *last = facts_last(s->f);

	if (!last->volume)
		return;
	text_add(s->out, " (from the volume at ");
	text_name(s->out, last->volume, 50);
	text_add(s->out, ")");
}

void diagnosis_line(const struct facts *f, const struct plan *p, enum cause c,
		    char line[DIAGNOSIS_MAX + 1])
{
	const struct cause_row *row = cause_row(c);
	struct text out;
	struct sentence s = { f, p, &out };

	text_init(&out, line, DIAGNOSIS_MAX + 1);
	text_printf(&out, "crossarch[%s]: ", row->code);
	put_template(&s, row->what);
	put_volume(&s);
	text_add(&out, "; ");
	put_template(&s, row->why);
	text_add(&out, ". Fix: ");
	put_template(&s, row->fix);
	text_add(&out, ".");
	put_label(&s, row);
}

void diagnosis_config(const struct complaint *bad, char line[DIAGNOSIS_MAX + 1])
{
	struct text out;

	text_init(&out, line, DIAGNOSIS_MAX + 1);
	text_printf(&out, "crossarch[%s]: ", cause_row(CAUSE_CONFIG)->code);
	text_name(&out, bad->what, 380);
	text_add(&out, "; ");
	text_name(&out, bad->why, 280);
	text_add(&out, ". Fix: ");
	text_name(&out, bad->fix, 180);
	text_add(&out, ".");
}

void diagnosis_program(const struct facts *f, char *text, size_t size)
{
	struct text out;
	struct sentence s = { f, NULL, &out };

	text_init(&out, text, size);
	put_program(&s);
}

void diagnosis_platform(const struct arch *a, char *text, size_t size)
{
	(void)str_fmt(text, size, "linux/%s", a ? a->name : "unknown");
}
