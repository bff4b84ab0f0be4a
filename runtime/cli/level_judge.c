/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/level_judge.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_levels.h"
#include "runtime/binfmt/locate.h"
#include "runtime/cli/emulator_level.h"
#include "runtime/plan/elf_load.h"
#include "runtime/prepare/report.h"

static const struct binfmt_entry *entry_of(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->binfmt.n; i++)
		if (str_eq(n->binfmt.entries[i].name, name))
			return &n->binfmt.entries[i];
	return NULL;
}

/*
 * The file of that name on the node is what the kernel runs: with flag F it has the one open that
 * was there when the handler was registered, without the container's own counts.
 */
static bool is_the_one(const struct binfmt_entry *e)
{
	struct stat st;

	return (e->flags & BINFMT_F) && stat(e->interpreter, &st) == 0 &&
	       (!e->registered_ns ||
		(uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec <=
			e->registered_ns);
}

/* The file to ask; false without. Private handlers are made of the emulator in its usual place. */
static bool find_emulator(const struct node *n, const char *handler, char *ret, size_t size)
{
	const struct binfmt_entry *e = entry_of(n, handler);

	if (e)
		return is_the_one(e) && str_copy(ret, size, e->interpreter);
	return str_after(handler, PRIVATE_PREFIX) && locate_usual("x86_64", ret, size);
}

/* The facts as prepare would have had them, had it known what the emulator says. */
static void fill_facts(const struct node *n, const struct level_question *q, struct facts *ret)
{
	struct program_file *p = &ret->chain[0];

	ret->host = &n->host;
	ret->binfmt = &n->binfmt;
	ret->cpu_model = q->model;
	ret->n_chain = 1;
	p->path = q->program;
	p->found = FOUND_FILE;
	p->image.kind = IMAGE_ELF;
	p->image.ident = (struct ident){
		.cls = ELFCLASS64,
		.order = ELFDATA2LSB,
		.machine = EM_X86_64,
	};
	p->image.x86_level = q->program_level;
	ret->loader.path = "/lib64/ld-linux-x86-64.so.2";
	(void)str_copy(ret->declared.os, sizeof(ret->declared.os), "linux");
	(void)str_copy(ret->declared.arch, sizeof(ret->declared.arch), "amd64");
	(void)str_fmt(ret->declared.variant, sizeof(ret->declared.variant), "v%u", q->image_level);
}

/* What the emulator says of the model, and if that is too little, of the best one it has. */
static bool ask(const char *path, const struct level_question *q, struct facts *f)
{
	struct err ignored;

	if (emulator_level(LEVELS_FILE, path, q->model, &f->emulator_level, &ignored) < 0 ||
	    !f->emulator_level)
		return false;
	f->emulator_most = f->emulator_level;
	if (q->program_level <= f->emulator_level && q->image_level <= f->emulator_level)
		return true;
	return emulator_level(LEVELS_FILE, path, "max", &f->emulator_most, &ignored) == 0 &&
	       f->emulator_most;
}

bool level_refused(const struct node *n, const struct level_question *q,
		   char line[DIAGNOSIS_MAX + 1])
{
	struct binfmt_entry handler = { .name = "" };
	const struct settings settings = { .engine = "" };
	struct facts f = { .settings = &settings };
	struct plan p = { .handler = &handler };
	char path[512];
	enum cause why;

	if (!find_emulator(n, q->handler, path, sizeof(path)))
		return false;
	fill_facts(n, q, &f);
	if (!ask(path, q, &f))
		return false;
	why = load_emulated_cpu(&f);
	if (!why)
		return false;
	(void)str_copy(handler.name, sizeof(handler.name), q->handler);
	p.guest = facts_guest(&f);
	diagnosis_line(&f, &p, why, line);
	return true;
}
