/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/plan.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/str.h"
#include "runtime/plan/elf_load.h"

/* Below this a larger program hardly fits: qemu-user takes 10 MiB and more for each process. */
#define SMALL_MEMORY (64ull << 20)

static void refuse(struct plan *p, enum cause why)
{
	p->verdict = VERDICT_REFUSE;
	p->cause = why;
	p->n_warnings = 0;
}

static void warn(struct plan *p, enum cause why)
{
	if (p->n_warnings < REPORT_WARNINGS)
		p->warnings[p->n_warnings++] = why;
}

/* Why nobody runs a file that is no ELF program and that no handler takes. */
static enum cause judge_kind(enum image_kind kind)
{
	switch (kind) {
	case IMAGE_EMPTY:
		return CAUSE_EMPTY;
	case IMAGE_ZEROS:
		return CAUSE_ZEROS;
	case IMAGE_CUT:
		return CAUSE_CUT;
	case IMAGE_NAMELESS:
		return CAUSE_NAMELESS;
	case IMAGE_BOM:
		return CAUSE_BOM;
	case IMAGE_TEXT:
		return CAUSE_NO_SHEBANG;
	case IMAGE_LONG:
		return CAUSE_LONG;
	case IMAGE_UTF16:
		return CAUSE_UTF16;
	case IMAGE_APE:
		return CAUSE_APE;
	case IMAGE_HTML:
	case IMAGE_XML:
	case IMAGE_JSON:
	case IMAGE_ANSWER:
	case IMAGE_LFS:
		return CAUSE_NOT_IT;
	case IMAGE_ASSEMBLY:
		return CAUSE_ASSEMBLY;
	case IMAGE_WASM:
		return CAUSE_WASM;
	case IMAGE_MACHO:
	case IMAGE_PE:
		return CAUSE_NOT_LINUX;
	case IMAGE_ZIP:
	case IMAGE_JAVA_CLASS:
		return CAUSE_JAVA;
	case IMAGE_OBJECT:
		return CAUSE_OBJECT;
	case IMAGE_CORE:
	case IMAGE_GZIP:
	case IMAGE_DATA:
		return CAUSE_NO_PROGRAM;
	case IMAGE_ELF:
	case IMAGE_SCRIPT:
	case IMAGE_KIND_N:
		break;
	}
	return CAUSE_NONE;
}

/* Why a file cannot be started at all, whatever is in it; CAUSE_NONE when it can. */
static enum cause judge_access(const struct facts *f)
{
	const struct program_file *file = facts_last(f);

	switch (file->found) {
	case FOUND_UNKNOWN:
	case FOUND_MISSING:
		return CAUSE_NONE;
	case FOUND_LOOP:
		return CAUSE_LOOP;
	case FOUND_DIRECTORY:
		return CAUSE_DIRECTORY;
	case FOUND_SPECIAL:
		return CAUSE_SPECIAL;
	case FOUND_FILE:
		break;
	}
	if (file->noexec)
		return CAUSE_NOEXEC;
	if (file->mode & 0111)
		return CAUSE_NONE;
	/* If it would not run with the bit either, the reason for that is the better one to name.
	 */
	return !f->handler && judge_kind(file->image.kind) ? CAUSE_NONE : CAUSE_NO_X_BIT;
}

/* An ELF image's row; NULL for what is no ELF or of an unknown machine. */
static const struct arch *image_arch(const struct image *img)
{
	const struct ident *id = &img->ident;

	return img->kind == IMAGE_ELF ? arch_of_elf(id->machine, id->cls, id->order, id->flags)
				      : NULL;
}

/* A program the node itself loads. */
static void plan_native(const struct facts *f, struct plan *p)
{
	const struct image *img = &facts_last(f)->image;
	enum cause why = load_native(f);

	if (why)
		refuse(p, why);
	else if (img->segments.cut)
		warn(p, CAUSE_WARN_CUT);
	if (!why && img->system && !img->system_noted)
		warn(p, CAUSE_WARN_SYSTEM);
}

static bool changed_since(const struct facts *f)
{
	return (f->handler->flags & BINFMT_F) && f->handler->registered_ns &&
	       f->emulator_changed_ns > f->handler->registered_ns;
}

/*
 * A script in place of an emulator is one more replacement, which is not done after one that keeps
 * the program open (flag O, which C implies). Its own interpreter is a file of the container.
 */
static enum cause judge_emulator_script(const struct facts *f)
{
	const struct program_file *i = &f->emulator_loader;
	const struct arch *a = image_arch(&i->image);

	if (f->handler->flags & (BINFMT_O | BINFMT_C))
		return CAUSE_EMULATOR_KIND;
	if (!i->path || i->found == FOUND_UNKNOWN)
		return CAUSE_NONE;
	if (i->found != FOUND_FILE || i->noexec || !(i->mode & 0111) ||
	    binfmt_entry_matches(f->handler, i->image.head, i->path) || judge_kind(i->image.kind))
		return CAUSE_EMULATOR_SCRIPT;
	if (a && host_runs(f->host, a) == HOST_NO &&
	    !binfmt_registry_match(f->binfmt, i->image.head, i->path, false, NULL))
		return CAUSE_EMULATOR_SCRIPT;
	return CAUSE_NONE;
}

/*
 * The interpreter of a handler without flag F is found and started like any other program. With it,
 * the kernel has it open: what is under its name is that file unless it was replaced since.
 */
static enum cause judge_emulator(const struct facts *f)
{
	const struct program_file *e = &f->emulator;
	const struct arch *a = image_arch(&e->image);
	bool pinned = f->handler->flags & BINFMT_F;
	bool known = !pinned ||
		     (f->emulator_changed_ns && !changed_since(f) && f->handler->registered_ns);

	if (!e->path || e->found == FOUND_UNKNOWN)
		return CAUSE_NONE;
	if (e->found != FOUND_FILE)
		return pinned			   ? CAUSE_NONE
		       : e->found == FOUND_MISSING ? CAUSE_NOT_PINNED
						   : CAUSE_EMULATOR_MODE;
	if (e->image.kind == IMAGE_ELF && f->emulator_loader.path &&
	    f->emulator_loader.found == FOUND_MISSING)
		return CAUSE_EMULATOR_LOADER;
	if (!known)
		return CAUSE_NONE;
	if (!pinned && (e->noexec || !(e->mode & 0111)))
		return CAUSE_EMULATOR_MODE;
	if (binfmt_entry_matches(f->handler, e->image.head, e->path))
		return CAUSE_EMULATOR_SELF;
	if (judge_kind(e->image.kind))
		return CAUSE_EMULATOR_KIND;
	if (e->image.kind == IMAGE_SCRIPT)
		return judge_emulator_script(f);
	if (!a || host_runs(f->host, a) != HOST_NO ||
	    binfmt_registry_match(f->binfmt, e->image.head, e->path, false, NULL))
		return CAUSE_NONE;
	return CAUSE_EMULATOR_FOREIGN;
}

/*
 * golang/go#69255 ended with 1.25.4. The releases of the older branch on that day and after it are
 * not known to have the change (golang/website, internal/history/release.go: of 1.24.10 the runtime
 * is that of 1.24.9).
 */
static bool go_is_mended(const struct version *v)
{
	return v->major > 1 || v->minor > 25 || (v->minor == 25 && v->patch >= 4);
}

static void warn_emulated(const struct facts *f, struct plan *p)
{
	const struct binfmt_entry *h = f->handler;
	const struct program_file *program = facts_last(f);

	if (p->guest && host_runs(f->host, p->guest) == HOST_YES)
		warn(p, CAUSE_WARN_SHADOWED);
	else if (f->rival && !h->pending)
		warn(p, CAUSE_WARN_SEVERAL);
	if ((program->mode & S_ISUID) && !(h->flags & BINFMT_C) && !f->no_new_privileges)
		warn(p, CAUSE_WARN_SETUID);
	if (changed_since(f))
		warn(p, CAUSE_WARN_REPLACED);
	if (str_ends(h->interpreter, "-binfmt-P") && !(h->flags & BINFMT_P))
		warn(p, CAUSE_WARN_ARGV0);
	if (f->emulator_version.major && f->emulator_version.major < 8)
		warn(p, CAUSE_WARN_OLD);
	if (f->go && !go_is_mended(&f->go_version))
		warn(p, CAUSE_WARN_GO);
	if (f->dotnet)
		warn(p, CAUSE_WARN_DOTNET);
	if (facts_other_emulator(f) && p->guest && *settings_cpu(f->settings, p->guest))
		warn(p, CAUSE_WARN_MODEL);
	if (f->memory_max && f->memory_max < SMALL_MEMORY)
		warn(p, CAUSE_WARN_MEMORY);
}

/*
 * What is asked is the handler of the node, with the model of the settings: where another one
 * counts, the table of models has to do.
 */
static void ask_for_levels(const struct facts *f, struct plan *p)
{
	const char *model = f->cpu_model ? f->cpu_model : "";

	if (f->purpose != FOR_CONTAINER || !f->emulator_is_qemu || f->emulator_level ||
	    (f->own_binfmt && !f->handler->pending) || !str_eq(model, p->cpu))
		return;
	load_levels_wanted(f, &p->program_level, &p->image_level);
}

/* What the configuration says about a program that needs an emulator. */
static enum cause judge_policy(const struct facts *f)
{
	if (f->purpose == FOR_SANDBOX)
		return CAUSE_NONE;
	if (f->settings->emulation_never)
		return CAUSE_NEVER;
	return f->private_bar;
}

/*
 * What an emulator calls was measured on qemu, so of another one it is not known what it lacks. The
 * profile of a running container cannot be changed any more.
 */
static enum cause judge_seccomp(const struct facts *f)
{
	bool fixed = f->settings->seccomp_keep || f->purpose == FOR_EXEC;

	if (facts_other_emulator(f))
		return CAUSE_NONE;
	if (f->seccomp.denied)
		return CAUSE_SECCOMP_DENIED;
	return fixed && f->seccomp.blocked ? CAUSE_SECCOMP : CAUSE_NONE;
}

/* A handler takes the program before the kernel's own loaders see it. */
static void plan_handled(const struct facts *f, struct plan *p)
{
	bool foreign = p->guest && host_runs(f->host, p->guest) == HOST_NO;
	enum cause why = judge_emulator(f);

	p->handler = f->handler;
	if (foreign && judge_policy(f))
		why = judge_policy(f);
	if (!why && f->emulator_is_qemu)
		why = load_emulated(f);
	if (!why && p->guest)
		why = judge_seccomp(f);
	if (why) {
		refuse(p, why);
		return;
	}
	if (facts_last(f)->image.kind != IMAGE_ELF)
		return; /* a Java archive or the like: not another architecture */
	p->verdict = VERDICT_EMULATE;
	p->cpu = p->guest && !facts_other_emulator(f) ? settings_cpu(f->settings, p->guest) : "";
	p->adapt_seccomp = !f->settings->seccomp_keep && f->seccomp.must_adapt;
	ask_for_levels(f, p);
	warn_emulated(f, p);
}

/* A handler for the same processor whose ABI or byte order is another. */
static const struct binfmt_entry *near_handler(const struct facts *f, const struct arch *guest)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	for (size_t i = 0; i < n; i++) {
		const struct binfmt_entry *e;

		if (rows[i].machine != guest->machine)
			continue;
		e = binfmt_registry_for(f->binfmt, &rows[i], false);
		if (e && str_after(e->name, "qemu"))
			return e;
	}
	return NULL;
}

/* A 32-bit program of the node's own family that its kernel does not take. */
static enum cause judge_family(const struct facts *f, const struct arch *guest)
{
	if (str_eq(guest->name, "x32") && guest->machine == f->host->arch->machine)
		return CAUSE_X32;
	if (guest->compat_of && str_eq(guest->compat_of, f->host->arch->name))
		return CAUSE_NO_32BIT;
	return CAUSE_NONE;
}

/* Why no handler runs a foreign program; the most telling reason wins. */
static enum cause judge_unhandled(const struct facts *f, const struct arch *guest, struct plan *p)
{
	const struct program_file *file = facts_last(f);
	const struct binfmt_registry *r = f->binfmt;
	enum cause family = judge_family(f, guest);

	p->handler = binfmt_registry_match(r, file->image.head, file->path, true, NULL);
	if (p->handler)
		return r->state == BINFMT_OFF ? CAUSE_BINFMT_OFF : CAUSE_HANDLER_DISABLED;
	if (f->private_offered)
		return family ? family : CAUSE_PRIVATE_MISSING;
	if (f->own_binfmt)
		return f->settings->private_emulators ? CAUSE_PRIVATE_TAKEN : CAUSE_HIDDEN;
	p->handler = binfmt_registry_for(r, guest, false);
	if (p->handler && binfmt_entry_rejects(p->handler, file->image.head, &p->byte))
		return CAUSE_HEADER;
	if (family)
		return family;
	if (r->state == BINFMT_UNSUPPORTED)
		return CAUSE_UNSUPPORTED;
	if (r->state == BINFMT_NOT_MOUNTED)
		return CAUSE_NOT_MOUNTED;
	if (guest->machine == f->host->arch->machine)
		return CAUSE_ABI_NODE;
	p->handler = near_handler(f, guest);
	return p->handler ? CAUSE_ABI_HANDLER : CAUSE_NO_EMULATOR;
}

/* An ELF program no enabled handler matches. */
static void plan_elf(const struct facts *f, struct plan *p)
{
	enum host_can can = p->guest ? host_runs(f->host, p->guest) : HOST_NO;
	enum cause why;

	if (can == HOST_YES) {
		plan_native(f, p);
		return;
	}
	if (can == HOST_UNKNOWN || f->binfmt->state == BINFMT_UNKNOWN || f->binfmt->partial)
		return;
	why = p->guest ? judge_unhandled(f, p->guest, p) : CAUSE_NO_EMULATOR;
	/* The policy forbids what would help against these, so it is the policy that is named. */
	if ((why == CAUSE_NO_EMULATOR || why == CAUSE_HANDLER_DISABLED ||
	     why == CAUSE_BINFMT_OFF) &&
	    judge_policy(f))
		why = judge_policy(f);
	refuse(p, why);
}

/* A file that is no ELF program, and no enabled handler takes it; perhaps a disabled one would. */
static enum cause judge_other(const struct facts *f, struct plan *p)
{
	const struct program_file *file = facts_last(f);

	p->handler = binfmt_registry_match(f->binfmt, file->image.head, file->path, true, NULL);
	if (p->handler)
		return f->binfmt->state == BINFMT_OFF ? CAUSE_BINFMT_OFF : CAUSE_HANDLER_DISABLED;
	return judge_kind(file->image.kind);
}

static void plan_file(const struct facts *f, struct plan *p)
{
	const struct program_file *file = facts_last(f);
	enum cause why = judge_access(f);

	if (why) {
		refuse(p, why);
	} else if (file->found == FOUND_MISSING && f->n_chain > 1) {
		refuse(p, file[-1].image.script.crlf ? CAUSE_CRLF : CAUSE_INTERPRETER_MISSING);
	} else if (file->found != FOUND_FILE) {
		return; /* the engine's own message, or something only the start shows */
	} else if (f->chain_too_long) {
		refuse(p, CAUSE_TOO_DEEP);
	} else if (f->handler) {
		plan_handled(f, p);
	} else if (file->image.kind == IMAGE_ELF) {
		plan_elf(f, p);
	} else if (judge_kind(file->image.kind) && f->binfmt->state != BINFMT_UNKNOWN &&
		   !f->binfmt->partial) {
		refuse(p, judge_other(f, p));
	}
}

/* The pod asked for a platform: compared with the program, or else with the image's declaration. */
static enum cause judge_wanted(const struct facts *f)
{
	const struct arch *guest = facts_guest(f), *wanted, *declared;

	if (!platform_known(&f->settings->wanted) || f->purpose != FOR_CONTAINER)
		return CAUSE_NONE;
	wanted = platform_arch(&f->settings->wanted);
	if (guest)
		return wanted && str_eq(guest->name, wanted->name) ? CAUSE_NONE : CAUSE_PLATFORM;
	declared = platform_arch(&f->declared);
	if (declared && (!wanted || !str_eq(declared->name, wanted->name)))
		return CAUSE_PLATFORM_DECLARED;
	return CAUSE_NONE;
}

static void warn_label(const struct facts *f, struct plan *p)
{
	const struct arch *declared = platform_arch(&f->declared);

	if (declared && p->guest && !str_eq(declared->name, p->guest->name))
		warn(p, CAUSE_WARN_LABEL);
}

/* What the configuration forbids stays forbidden, whatever a hook does to the files. */
static bool is_policy(enum cause c)
{
	return c == CAUSE_NEVER || c == CAUSE_SECCOMP || c == CAUSE_SECCOMP_DENIED ||
	       (c >= CAUSE_PRIVATE_PRIVILEGED && c <= CAUSE_PRIVATE_MISSING);
}

/*
 * Hooks that run between now and the program's start may put another file in its place, or mount
 * one over it; container toolkits for GPUs do. What is seen here then proves nothing.
 */
static void allow_for_hooks(const struct facts *f, struct plan *p)
{
	if (f->hooks_before && p->verdict == VERDICT_REFUSE && !is_policy(p->cause)) {
		p->verdict = VERDICT_NATIVE;
		p->cause = CAUSE_NONE;
		p->handler = NULL;
	}
}

void plan_make(const struct facts *f, struct plan *ret)
{
	enum cause why = judge_wanted(f);

	memset(ret, 0, sizeof(*ret));
	ret->verdict = VERDICT_NATIVE;
	ret->guest = facts_guest(f);
	ret->cpu = "";
	if (why) {
		refuse(ret, why);
		return;
	}
	if (!f->n_chain || f->engine_runs_it)
		return;
	plan_file(f, ret);
	allow_for_hooks(f, ret);
	if (ret->verdict != VERDICT_REFUSE)
		warn_label(f, ret);
	if (f->purpose == FOR_EXEC)
		ret->n_warnings = 0; /* said when the container was made; probes exec often */
}
