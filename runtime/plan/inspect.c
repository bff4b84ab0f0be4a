/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/inspect.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_levels.h"
#include "runtime/image/go.h"
#include "runtime/oci/entrypoint.h"
#include "runtime/plan/dotnet.h"

void emulator_files_deinit(struct emulator_files *e)
{
	for (size_t i = 0; i < e->n; i++)
		fd_close(&e->files[i].fd);
	free(e->files);
	*e = (struct emulator_files){ NULL, 0 };
}

int emulator_files_open(const struct binfmt_registry *r, struct emulator_files *ret,
			struct err *err)
{
	CLEANUP_EMULATORS struct emulator_files e = {
		.files = calloc(r->n + 1, sizeof(*e.files)),
	};

	if (!e.files)
		return err_set(err, ERR_NOMEM, "no memory for %zu handlers", r->n);
	for (size_t i = 0; i < r->n; i++) {
		const struct binfmt_entry *entry = &r->entries[i];
		int fd;

		if (!entry->enabled || !(entry->flags & BINFMT_F))
			continue;
		fd = fd_openat2(AT_FDCWD, entry->interpreter, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
				0);
		if (fd >= 0)
			e.files[e.n++] = (struct emulator_file){ entry, fd };
	}
	*ret = e;
	e = (struct emulator_files){ NULL, 0 };
	return 0;
}

/* The destination of the bind mount that a file of a running container came in by, or NULL. */
static const char *volume_of(const struct spec *s, const char *where)
{
	for (size_t i = s ? s->n_mounts : 0; i > 0; i--) {
		const struct spec_mount *m = &s->mounts[i - 1];
		size_t n = strlen(m->destination);

		if (n > 1 && strncmp(where, m->destination, n) == 0 &&
		    (!where[n] || where[n] == '/'))
			return str_eq(m->type, "bind") ? m->destination : NULL;
	}
	return NULL;
}

/* Describes what was found under @path (copied) into @ret, with its contents if it is a file. */
static int describe(const struct inspect *in, const struct facts *f, const char *path,
		    const struct found *found, struct program_file *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	ret->path = arena_strdup(in->arena, path);
	if (!ret->path)
		return err_set(err, ERR_NOMEM, "no memory for a path");
	if (found->kind == FOUND_FILE && found->path[0]) {
		ret->where = arena_strdup(in->arena, found->path);
		if (!ret->where)
			return err_set(err, ERR_NOMEM, "no memory for a path");
	}
	ret->found = found->kind;
	ret->mode = found->mode;
	ret->noexec = found->noexec;
	ret->volume = found->mount ? found->mount->destination : volume_of(in->spec, found->path);
	if (found->kind != FOUND_FILE)
		return 0;
	if (image_read(found->fd, found->size, f->host, &ret->image, err) < 0)
		return err_in(err, "%.200s", path);
	return 0;
}

static int look_at(const struct inspect *in, const struct facts *f, const char *path,
		   struct program_file *ret, struct err *err)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;

	view_find(in->view, in->process->cwd, path, &found);
	return describe(in, f, path, &found, ret, err);
}

/* The handler the kernel will take for @file, if the table is on. */
static const struct binfmt_entry *handler_of(const struct facts *f, const struct program_file *file,
					     const struct binfmt_entry **ret_rival)
{
	*ret_rival = NULL;
	if (f->binfmt->state != BINFMT_ON || file->found != FOUND_FILE)
		return NULL;
	return binfmt_registry_match(f->binfmt, file->image.head, file->path, false, ret_rival);
}

/* Follows #! lines until something else comes: a handler, a program, or nothing. */
static int follow_scripts(const struct inspect *in, struct facts *f, struct err *err)
{
	for (;;) {
		const struct program_file *last = facts_last(f);

		f->handler = handler_of(f, last, &f->rival);
		/* A handler is one more replacement. */
		f->chain_too_long = f->handler && f->n_chain == FACTS_CHAIN;
		if (f->handler || last->found != FOUND_FILE || last->image.kind != IMAGE_SCRIPT ||
		    last->noexec || !(last->mode & 0111))
			return 0;
		if (f->n_chain == FACTS_CHAIN) {
			f->chain_too_long = true;
			return 0;
		}
		if (look_at(in, f, last->image.script.interpreter, &f->chain[f->n_chain], err) < 0)
			return -1;
		f->n_chain++;
	}
}

/* Where the loader should be there is none: is there one of another kind for this machine? */
static void find_other_loader(const struct inspect *in, struct facts *f)
{
	const struct image *program = &facts_last(f)->image;
	size_t n;
	const struct arch *rows = arch_rows(&n);

	for (size_t i = 0; i < n && !f->other_loader; i++) {
		if (rows[i].machine != program->ident.machine)
			continue;
		for (const char *const *l = rows[i].loaders; *l && !f->other_loader; l++) {
			CLEANUP_FOUND struct found found = FOUND_INIT;

			if (str_eq(*l, program->interp))
				continue;
			view_find(in->view, "/", *l, &found);
			if (found.kind == FOUND_FILE)
				f->other_loader = *l;
		}
	}
}

/* qemu-user looks below a prefix first: its user's, or the one it was built with. */
static int find_below(const struct inspect *in, struct facts *f, const char *prefix,
		      struct err *err)
{
	char path[PATH_MAX];

	if (!prefix || f->loader.found == FOUND_FILE ||
	    !str_fmt(path, sizeof(path), "%s%s", prefix, facts_last(f)->image.interp))
		return 0;
	return look_at(in, f, path, &f->loader, err);
}

static const char *prefix_wanted(const struct inspect *in, const struct facts *f)
{
	const char *wanted = spec_env(in->process, "QEMU_LD_PREFIX");

	for (size_t i = 0; i < f->settings->n_variables; i++)
		if (str_eq(f->settings->variables[i].name, "QEMU_LD_PREFIX"))
			wanted = f->settings->variables[i].value;
	return wanted;
}

static int inspect_loader_below(const struct inspect *in, struct facts *f, struct err *err)
{
	const struct arch *guest = facts_guest(f);
	const char *wanted = prefix_wanted(in, f);
	char debian[64], upstream[64];

	if (wanted)
		return find_below(in, f, wanted, err);
	if (!guest || !guest->qemu)
		return 0;
	(void)str_fmt(debian, sizeof(debian), "/etc/qemu-binfmt/%s", guest->qemu);
	(void)str_fmt(upstream, sizeof(upstream), "/usr/gnemul/qemu-%s", guest->qemu);
	if (find_below(in, f, debian, err) < 0)
		return -1;
	return find_below(in, f, upstream, err);
}

static int inspect_loader(const struct inspect *in, struct facts *f, struct err *err)
{
	const struct program_file *program = facts_last(f);

	if (program->found != FOUND_FILE || program->image.kind != IMAGE_ELF ||
	    !program->image.interp[0])
		return 0;
	if (f->handler && program->image.interp[0] == '/' && inspect_loader_below(in, f, err) < 0)
		return -1;
	if (f->loader.found != FOUND_FILE &&
	    look_at(in, f, program->image.interp, &f->loader, err) < 0)
		return -1;
	if (f->loader.found == FOUND_MISSING)
		find_other_loader(in, f);
	return 0;
}

/* The pinned interpreter, if the file of its name on the node could be opened. */
static int inspect_pinned(const struct inspect *in, struct facts *f, struct err *err)
{
	for (size_t i = 0; i < in->emulators->n; i++) {
		const struct emulator_file *file = &in->emulators->files[i];
		struct found found = FOUND_INIT;
		struct stat st;

		if (file->entry != f->handler || fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		f->emulator_changed_ns =
			(uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec;
		if (f->purpose == FOR_CONTAINER && !facts_other_emulator(f) &&
		    strstr(f->handler->interpreter, "qemu-"))
			(void)version_of_file(file->fd, (uint64_t)st.st_size, &f->emulator_version);
		found.kind = FOUND_FILE;
		found.fd = file->fd;
		found.mode = st.st_mode;
		found.size = (uint64_t)st.st_size;
		return describe(in, f, f->handler->interpreter, &found, &f->emulator, err);
	}
	return 0;
}

/* With flag F the interpreter is on the node, without in the container; its loader is always there.
 */
static int inspect_emulator(const struct inspect *in, struct facts *f, struct err *err)
{
	int rc;

	if (f->handler->flags & BINFMT_F)
		rc = inspect_pinned(in, f, err);
	else
		rc = look_at(in, f, f->handler->interpreter, &f->emulator, err);
	if (rc < 0)
		return -1;
	if (f->emulator.found != FOUND_FILE)
		return 0;
	if (f->emulator.image.kind == IMAGE_SCRIPT)
		return look_at(in, f, f->emulator.image.script.interpreter, &f->emulator_loader,
			       err);
	if (f->emulator.image.kind != IMAGE_ELF || !f->emulator.image.interp[0])
		return 0;
	return look_at(in, f, f->emulator.image.interp, &f->emulator_loader, err);
}

/* Other emulators have root file systems of their own; a wrapper may set any prefix. */
static bool is_qemu(const struct facts *f)
{
	const struct arch *guest = facts_guest(f);

	return emulator_kind_is_qemu(emulator_kind_of(f->handler)) &&
	       f->emulator.found == FOUND_FILE && f->emulator.image.kind == IMAGE_ELF &&
	       (guest ? guest->qemu != NULL : facts_last(f)->image.kind == IMAGE_CUT);
}

/* The process's own variable stays, ours is for where it has none. */
static void inspect_model(const struct inspect *in, struct facts *f)
{
	const char *own = spec_env(in->process, "QEMU_CPU");
	const struct arch *guest = facts_guest(f);

	f->cpu_model = own || !guest ? own : settings_cpu(f->settings, guest);
}

/* What the handler's emulator said of itself, if the file of its name is still that emulator. */
static void inspect_levels(const struct inspect *in, struct facts *f)
{
	const char *model = f->cpu_model ? f->cpu_model : "";
	struct stat st;

	for (size_t i = 0; in->levels && i < in->emulators->n; i++) {
		const struct emulator_file *file = &in->emulators->files[i];

		if (file->entry != f->handler || fstat(file->fd, &st) < 0 ||
		    (file->entry->registered_ns &&
		     f->emulator_changed_ns > file->entry->registered_ns))
			continue;
		f->emulator_level = levels_find(in->levels, &st, model);
		f->emulator_most = levels_find(in->levels, &st, "max");
	}
}

/* Looked for only where that pair is known to crash: the file is large. */
static void inspect_go(const struct inspect *in, struct facts *f)
{
	const struct program_file *program = facts_last(f);
	const struct arch *guest = facts_guest(f);
	CLEANUP_FOUND struct found found = FOUND_INIT;

	if (f->purpose != FOR_CONTAINER || !guest || !str_eq(guest->name, "amd64") ||
	    !str_eq(f->host->arch->name, "arm64") || !f->host->high_addresses)
		return;
	view_find(in->view, in->process->cwd, program->path, &found);
	f->go = found.kind == FOUND_FILE &&
		go_version_of_file(found.fd, program->image.segments.data_at,
				   program->image.segments.data_len, &f->go_version);
}

/* Who has set the variable knows. */
static void inspect_dotnet(const struct inspect *in, struct facts *f)
{
	const struct program_file *program = facts_last(f);
	const char *exclusive = spec_env(in->process, "DOTNET_EnableWriteXorExecute");

	f->dotnet = f->purpose == FOR_CONTAINER && f->n_chain == 1 && program->where &&
		    !(exclusive && str_eq(exclusive, "0")) && dotnet_is(in->view, program->where);
}

int inspect_program(const struct inspect *in, struct facts *f, struct err *err)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;
	char name[PATH_MAX];

	f->n_chain = 0;
	if (!in->process->args || !in->process->args[0] || !*in->process->args[0])
		return 0;
	entrypoint_find(in->view, in->process, name, &found);
	if (describe(in, f, name, &found, &f->chain[0], err) < 0)
		return -1;
	f->n_chain = 1;
	if (follow_scripts(in, f, err) < 0)
		return -1;
	if (f->handler && inspect_emulator(in, f, err) < 0)
		return -1;
	f->emulator_is_qemu = f->handler && is_qemu(f);
	if (f->handler && !f->emulator_is_qemu)
		return 0;
	if (f->handler) {
		inspect_model(in, f);
		inspect_levels(in, f);
		inspect_go(in, f);
		inspect_dotnet(in, f);
	}
	return inspect_loader(in, f, err);
}
