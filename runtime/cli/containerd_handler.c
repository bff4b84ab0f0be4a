/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/containerd_handler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_backup.h"
#include "runtime/cli/config_compare.h"
#include "runtime/cli/config_trial.h"
#include "runtime/cli/containerd_config.h"
#include "runtime/cli/handler_text.h"

void handler_edit_deinit(struct handler_edit *s)
{
	buf_deinit(&s->file);
	buf_deinit(&s->dump);
}

/* --- deciding -------------------------------------------------------------------------------- */

const struct runtime_handler *handler_edited(const struct handler_edit *s,
					     const struct containerd_config *config)
{
	const struct runtime_handler *r;

	if (!s->arch)
		return handler_ours(config);
	r = handler_named(config, s->name);
	return r && handler_is_ours(r) ? r : NULL;
}

static int check_conflicts(const struct handler_edit *s, struct err *err)
{
	const char *config = s->places->containerd->config;
	const struct runtime_handler *same = handler_named(&s->config, s->name);
	const struct runtime_handler *ours = handler_edited(s, &s->config);

	if (s->config.cri_disabled || s->file_config.cri_disabled)
		return err_set(err, ERR_PRECONDITION,
			       "the CRI plugin is switched off: take \"cri\" out of "
			       "disabled_plugins in %s, then run this again",
			       config);
	if (same && same->type[0] && !handler_is_ours(same))
		return err_set(err, ERR_PRECONDITION,
			       "there is a handler called %s already, of type %s; rename it in %s "
			       "first",
			       s->name, same->type, config);
	if (ours && !handler_passes_annotations(ours))
		return err_set(err, ERR_PRECONDITION,
			       "the handler %s is there but lets no annotations through: add\n"
			       "  pod_annotations = [\"io.crossarch.*\"]\n"
			       "below its runtime_type in the configuration (%s)",
			       ours->name, config);
	return 0;
}

static bool is_blank(const struct buf *b)
{
	const char *text = buf_str(b);

	return !text[strspn(text, " \t\r\n")];
}

/*
 * containerd 1.x has a default entry for runc only as long as the file defines no runtime at all;
 * the first one we add would take it away. What distributions make defines it.
 */
static bool needs_runc(const struct handler_edit *s)
{
	const struct runtime_handler *runc = handler_named(&s->config, "runc");

	return s->place.kind == PLACE_MAIN && runc && str_eq(runc->type, CONTAINERD_RUNC_TYPE) &&
	       !handler_named(&s->file_config, "runc");
}

static int write_text(struct handler_edit *s, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(sizeof(s->text) - 1);
	bool fresh = is_blank(&s->file) && !s->after_another;
	const char *table = handlers_table(s->place.version);
	struct runtime_handler own;
	char shim[sizeof(own.path)];

	if (shim_path(s->places->containerd, shim, sizeof(shim), err) < 0)
		return -1;
	if (s->arch)
		handler_form_platform(s->version, shim, &s->config, s->arch, s->settings, &own);
	else
		handler_form(s->version, shim, &s->config, &own);
	if (fresh && buf_printf(&b, err, "%s", s->place.head) < 0)
		return -1;
	if (!s->old[0] && !s->after_another && needs_runc(s) &&
	    handler_text_runc(table, handler_named(&s->config, "runc")->systemd_cgroup, &b, err) <
		    0)
		return -1;
	if (handler_text_own(table, &own, &b, err) < 0)
		return -1;
	(void)str_copy(s->text, sizeof(s->text), buf_str(&b));
	return 0;
}

/* A handler that is there: true when it is one that we wrote and that can be written better. */
static bool is_replaced(struct handler_edit *s, const struct runtime_handler *ours)
{
	CLEANUP_BUF struct buf old = BUF_INIT(sizeof(s->old) - 1);

	s->lack = handler_lacks(ours, s->version);
	return s->lack && (s->arch || !ours->other_options) &&
	       handler_text_find(buf_str(&s->file), &s->file_config, ours->name, &old) &&
	       str_copy(s->old, sizeof(s->old), buf_str(&old));
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_place(const struct config_place *p, struct handler_edit *ret, struct err *err)
{
	buf_deinit(&ret->file);
	if (file_read(AT_FDCWD, p->path, &ret->file, err) < 0 && err->code != ERR_NOT_FOUND)
		return -1;
	ret->place = *p;
	containerd_config_read(buf_str(&ret->file), &ret->file_config);
	ret->file_config.version = p->version;
	return 0;
}

/* Where our lines are already, as before an upgrade of containerd, else where they go best. */
static int choose_place(struct handler_edit *ret, struct err *err)
{
	for (size_t i = 0; i < ret->places->n; i++) {
		CLEANUP_BUF struct buf ignored = BUF_INIT(1u << 16);

		if (read_place(&ret->places->list[i], ret, err) < 0)
			return -1;
		if (handler_text_find(buf_str(&ret->file), &ret->file_config, ret->name, &ignored))
			return 0;
	}
	return read_place(&ret->places->list[0], ret, err);
}

int handler_edit_read(const struct config_places *places, struct handler_edit *ret, struct err *err)
{
	const struct containerd *c = places->containerd;

	ret->places = places;
	handler_name(ret->arch, ret->name);
	if (containerd_program_version(c, ret->version, sizeof(ret->version), err) < 0 ||
	    choose_place(ret, err) < 0)
		return -1;
	/* Without a file containerd has its defaults; "config dump" insists on one, so ask for it.
	 */
	if (containerd_dump_config(c, access(c->config, F_OK) == 0 ? c->config : "/dev/null",
				   &ret->dump, err) < 0)
		return -1;
	containerd_config_read(buf_str(&ret->dump), &ret->config);
	return 0;
}

const struct runtime_handler *handler_present(const struct handler_edit *s, bool *ret_waits)
{
	const struct runtime_handler *ours = handler_edited(s, &s->config);

	*ret_waits = !ours && s->place.made[0];
	return *ret_waits ? handler_edited(s, &s->file_config) : ours;
}

int handler_edit_plan(const struct config_places *places, struct handler_edit *ret, struct err *err)
{
	const struct runtime_handler *ours;
	bool waits;

	if (handler_edit_read(places, ret, err) < 0 || check_conflicts(ret, err) < 0)
		return -1;
	ours = handler_present(ret, &waits);
	return ours && !is_replaced(ret, ours) ? 0 : write_text(ret, err);
}

/* --- installing ------------------------------------------------------------------------------ */

int handler_edit_try(const struct handler_edit *s, const char *text, struct containerd_config *ret,
		     struct err *err)
{
	CLEANUP_BUF struct buf dump = BUF_INIT(1u << 20);
	const struct config_said before = { buf_str(&s->dump), &s->config };
	struct config_said after = { NULL, ret };

	if (config_trial(s->places->containerd, &s->place, text, &dump, err) < 0)
		return err_in(err, "containerd refuses the new configuration");
	containerd_config_read(buf_str(&dump), ret);
	after.dump = buf_str(&dump);
	return config_compare(&before, &after, false, err);
}

static int check_candidate(const struct handler_edit *s, const char *text, struct err *err)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	const struct runtime_handler *ours;

	if (!config)
		return err_set(err, ERR_NOMEM, "no memory for a configuration");
	if (handler_edit_try(s, text, config, err) < 0)
		return err_in(err, "with the handler added (add it by hand)");
	ours = handler_edited(s, config);
	if (!ours || !handler_passes_annotations(ours) || handler_lacks(ours, s->version))
		return err_set(err, ERR_PRECONDITION,
			       "with the handler in %s containerd still does not have the handler: "
			       "a file it imports replaces the table; add it there by hand",
			       s->place.path);
	return 0;
}

static int new_text(const struct handler_edit *s, struct buf *out, struct err *err)
{
	const char *old = buf_str(&s->file), *at = s->old[0] ? strstr(old, s->old) : NULL;
	bool ends = !s->file.len || old[s->file.len - 1] == '\n';

	if (at)
		return buf_printf(out, err, "%.*s%s%s", (int)(at - old), old, s->text,
				  at + strlen(s->old));
	return buf_printf(out, err, "%s%s%s%s", old, ends ? "" : "\n", s->file.len ? "\n" : "",
			  s->text);
}

int config_file_install(const struct config_place *p, const struct buf *old, bool keep,
			const struct buf *text, char *ret_backup, size_t size, struct err *err)
{
	CLEANUP_FREE char *real = realpath(p->path, NULL); /* a link stays a link */
	const char *path = real ? real : p->path;
	char dir[PATH_MAX];

	ret_backup[0] = '\0';
	if (!str_fmt(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path))
		return err_set(err, ERR_LIMIT, "the path %s is too long", path);
	if (!real && dir_make(dir, 0755, err) < 0)
		return -1;
	if (real && keep && !config_place_is_ours(p) &&
	    config_backup_keep(path, config_mode(path), old, ret_backup, size, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, path, config_mode(path), text->data, text->len, err);
}

int handler_edit_install(const struct handler_edit *s, char *ret_backup, size_t size,
			 struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(2u << 20);

	ret_backup[0] = '\0';
	if (new_text(s, &text, err) < 0 || check_candidate(s, buf_str(&text), err) < 0)
		return -1;
	return config_file_install(&s->place, &s->file, !s->no_backup, &text, ret_backup, size,
				   err);
}
