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
#include "runtime/cli/containerd_config.h"

/* Since 2.0; what it says is not looked at by any release so far (containerd#13927). */
#define PLATFORMS_TABLE "plugins.'io.containerd.cri.v1.images'.runtime_platforms"

void handler_edit_deinit(struct handler_edit *s)
{
	buf_deinit(&s->main);
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

static int check_conflicts(const struct containerd *c, const struct handler_edit *s,
			   struct err *err)
{
	const struct runtime_handler *same = handler_named(&s->config, s->name);
	const struct runtime_handler *ours = handler_edited(s, &s->config);

	if (s->config.cri_disabled || s->main_config.cri_disabled)
		return err_set(err, ERR_PRECONDITION,
			       "the CRI plugin is switched off: take \"cri\" out of "
			       "disabled_plugins in %s, then run this again",
			       c->config);
	if (same && same->type[0] && !handler_is_ours(same))
		return err_set(err, ERR_PRECONDITION,
			       "there is a handler called %s already, of type %s; rename it in %s "
			       "first",
			       s->name, same->type, c->config);
	if (ours && !handler_passes_annotations(ours))
		return err_set(err, ERR_PRECONDITION,
			       "the handler %s is there but lets no annotations through: add\n"
			       "  pod_annotations = [\"io.crossarch.*\"]\n"
			       "below its runtime_type in the configuration (%s)",
			       ours->name, c->config);
	return 0;
}

static bool is_blank(const struct buf *b)
{
	const char *text = buf_str(b);

	return !text[strspn(text, " \t\r\n")];
}

/*
 * containerd 1.x has a default entry for runc only as long as the file defines no runtime at all;
 * the first one we add would take it away.
 */
static bool needs_runc(const struct handler_edit *s)
{
	const struct runtime_handler *runc = handler_named(&s->config, "runc");

	return runc && str_eq(runc->type, CONTAINERD_RUNC_TYPE) &&
	       !handler_named(&s->main_config, "runc");
}

int handler_text_runc(const char *table, bool systemd_cgroup, struct buf *out, struct err *err)
{
	if (buf_printf(out, err,
		       "# The default, which adding another runtime would drop.\n"
		       "[%s.runc]\n  runtime_type = \"" CONTAINERD_RUNC_TYPE "\"\n",
		       table) < 0)
		return -1;
	if (systemd_cgroup &&
	    buf_printf(out, err, "  [%s.runc.options]\n    SystemdCgroup = true\n", table) < 0)
		return -1;
	return buf_printf(out, err, "\n");
}

static int text_options(const char *table, const struct runtime_handler *r, struct buf *out,
			struct err *err)
{
	bool binary = handler_arch(r->name) && r->binary[0];
	bool path = handler_arch(r->name) && r->config_path[0];

	if (!r->systemd_cgroup && !binary && !path)
		return 0;
	if (buf_printf(out, err, "  [%s.%s.options]\n", table, r->name) < 0)
		return -1;
	if (binary && buf_printf(out, err, "    BinaryName = \"%s\"\n", r->binary) < 0)
		return -1;
	if (path && buf_printf(out, err, "    ConfigPath = \"%s\"\n", r->config_path) < 0)
		return -1;
	return r->systemd_cgroup ? buf_printf(out, err, "    SystemdCgroup = true\n") : 0;
}

/* What it is for: everything, or one platform. */
static int text_comment(const struct runtime_handler *r, struct buf *out, struct err *err)
{
	const struct arch *a = handler_arch(r->name);

	if (!a)
		return buf_printf(out, err,
				  "# crossarch: foreign architectures, or one line that "
				  "says why not.\n");
	return buf_printf(out, err, "# crossarch: of each image the platform linux/%s.\n", a->name);
}

int handler_text_own(const char *table, const struct runtime_handler *r, struct buf *out,
		     struct err *err)
{
	if (text_comment(r, out, err) < 0 ||
	    buf_printf(out, err, "[%s.%s]\n  runtime_type = \"%s\"\n", table, r->name, r->type) < 0)
		return -1;
	if (r->path[0] && buf_printf(out, err, "  runtime_path = \"%s\"\n", r->path) < 0)
		return -1;
	if (buf_printf(out, err, "  pod_annotations = [\"io.crossarch.*\"]\n") < 0 ||
	    text_options(table, r, out, err) < 0)
		return -1;
	if (!r->platform[0])
		return 0;
	return buf_printf(out, err, "[" PLATFORMS_TABLE ".%s]\n  platform = \"%s\"\n", r->name,
			  r->platform);
}

const char *handler_edit_find(const char *file, const struct containerd_config *config,
			      const char *name, struct buf *ret)
{
	const struct runtime_handler *r = handler_named(config, name);
	struct err ignored;

	if (!r || handler_text_own(handlers_table(config->version), r, ret, &ignored) < 0)
		return NULL;
	return strstr(file, buf_str(ret));
}

static int write_text(const struct containerd *c, struct handler_edit *s, struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(sizeof(s->text) - 1);
	bool fresh = is_blank(&s->main) && !s->after_another;
	const char *table = handlers_table(is_blank(&s->main) ? 2 : s->main_config.version);
	struct runtime_handler own;
	char shim[sizeof(own.path)];

	if (shim_path(c, shim, sizeof(shim), err) < 0)
		return -1;
	if (s->arch)
		handler_form_platform(s->version, shim, &s->config, s->arch, s->settings, &own);
	else
		handler_form(s->version, shim, &s->config, &own);
	if (fresh && buf_printf(&b, err, HANDLER_HEAD) < 0)
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
	       handler_edit_find(buf_str(&s->main), &s->main_config, ours->name, &old) &&
	       str_copy(s->old, sizeof(s->old), buf_str(&old));
}

int handler_edit_read(const struct containerd *c, struct handler_edit *ret, struct err *err)
{
	if (containerd_program_version(c, ret->version, sizeof(ret->version), err) < 0)
		return -1;
	if (file_read(AT_FDCWD, c->config, &ret->main, err) < 0 && err->code != ERR_NOT_FOUND)
		return -1;
	/* Without a file containerd has its defaults; "config dump" insists on one, so ask for it.
	 */
	if (containerd_dump_config(c, access(c->config, F_OK) == 0 ? c->config : "/dev/null",
				   &ret->dump, err) < 0)
		return -1;
	handler_name(ret->arch, ret->name);
	containerd_config_read(buf_str(&ret->main), &ret->main_config);
	containerd_config_read(buf_str(&ret->dump), &ret->config);
	return 0;
}

int handler_edit_plan(const struct containerd *c, struct handler_edit *ret, struct err *err)
{
	const struct runtime_handler *ours;

	if (handler_edit_read(c, ret, err) < 0 || check_conflicts(c, ret, err) < 0)
		return -1;
	ours = handler_edited(ret, &ret->config);
	return ours && !is_replaced(ret, ours) ? 0 : write_text(c, ret, err);
}

/* --- installing ------------------------------------------------------------------------------ */

/* True when the lines of @text contain @n bytes @line as a whole line. */
static bool has_line(const char *text, const char *line, size_t n)
{
	const char *at;
	size_t length;

	while (str_line(&text, &at, &length))
		if (length == n && memcmp(at, line, n) == 0)
			return true;
	return false;
}

/*
 * Tables, values that mean "not set" or are what is meant when nothing is set, and the list of
 * files read, which names this one.
 */
static bool says_nothing(const char *line, size_t n)
{
	static const char *const unset[] = { "= \"\"",	      "= ''", "= 0",
					     "= false",	      "= []", "= \"podsandbox\"",
					     "= 'podsandbox'" };
	size_t indent = strspn(line, " ");

	if (indent >= n || line[indent] == '[' || str_after(line, "imports"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++) {
		size_t m = strlen(unset[i]);

		if (n > m && memcmp(line + n - m, unset[i], m) == 0)
			return true;
	}
	return false;
}

static int check_runtimes(const struct containerd_config *before,
			  const struct containerd_config *after, struct err *err)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct runtime_handler *old = &before->runtimes[i];
		const struct runtime_handler *new = handler_named(after, old->name);

		if (old->type[0] && !handler_is_ours(old) &&
		    (!new || !str_eq(new->type, old->type) || !str_eq(new->path, old->path)))
			return err_set(err, ERR_PRECONDITION, "the runtime %s would be lost",
				       old->name);
	}
	return 0;
}

static bool mentions_us(const char *line, size_t n)
{
	static const char *const words[] = { "io.crossarch.", CONTAINERD_TYPE, CONTAINERD_SHIM };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(line, n, words[i], strlen(words[i])))
			return true;
	return false;
}

/* Nothing of the effective configuration before may be missing afterwards, but what is ours. */
static int check_settings(const char *before, const char *after, struct err *err)
{
	bool in_our_table = false;
	const char *line;
	size_t n;

	while (str_line(&before, &line, &n)) {
		if (n > strspn(line, " ") && line[strspn(line, " ")] == '[')
			in_our_table = memmem(line, n, "." HANDLER_NAME, strlen("." HANDLER_NAME));
		if (!in_our_table && !says_nothing(line, n) && !mentions_us(line, n) &&
		    !has_line(after, line, n))
			return err_set(err, ERR_PRECONDITION,
				       "this setting would be lost: %.*s. Another file that the "
				       "main one imports probably replaces its tables",
				       (int)(n - strspn(line, " ")), line + strspn(line, " "));
	}
	return 0;
}

int handler_edit_try(const struct containerd *c, const struct handler_edit *s, const char *path,
		     struct containerd_config *ret, struct err *err)
{
	CLEANUP_BUF struct buf dump = BUF_INIT(1u << 20);

	if (containerd_dump_config(c, path, &dump, err) < 0)
		return err_in(err, "containerd refuses the new configuration");
	containerd_config_read(buf_str(&dump), ret);
	if (check_runtimes(&s->config, ret, err) < 0)
		return -1;
	return check_settings(buf_str(&s->dump), buf_str(&dump), err);
}

static int check_candidate(const struct containerd *c, const struct handler_edit *s,
			   const char *path, struct err *err)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	const struct runtime_handler *ours;

	if (!config)
		return err_set(err, ERR_NOMEM, "no memory for a configuration");
	if (handler_edit_try(c, s, path, config, err) < 0)
		return err_in(err, "with the handler added (add it by hand)");
	ours = handler_edited(s, config);
	if (!ours || !handler_passes_annotations(ours) || handler_lacks(ours, s->version))
		return err_set(err, ERR_PRECONDITION,
			       "with the handler in %s containerd still does not have the handler: "
			       "a file it imports replaces the table; add it there by hand",
			       c->config);
	return 0;
}

/* Never over another backup: of two within a second the first has what was there before us. */
static int backup_name(const char *path, char *ret, size_t size, struct err *err)
{
	struct tm tm;
	time_t now = time(NULL);
	char stamp[32];

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned int i = 0; i < 100; i++) {
		char number[16] = "";

		if (i)
			(void)str_fmt(number, sizeof(number), ".%u", i);
		if (!str_fmt(ret, size, "%s" HANDLER_BACKUP "%s%s", path, stamp, number))
			return err_set(err, ERR_LIMIT, "the path %s is too long", path);
		if (access(ret, F_OK) < 0)
			return 0;
	}
	return err_set(err, ERR_LIMIT, "too many backups of %s", path);
}

static int keep_old(const char *path, const struct handler_edit *s, mode_t mode, char *ret,
		    size_t size, struct err *err)
{
	if (backup_name(path, ret, size, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, ret, mode, s->main.data, s->main.len, err);
}

static int write_candidate(const struct handler_edit *s, const char *path, mode_t mode,
			   struct err *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(2u << 20);
	const char *old = buf_str(&s->main), *at = s->old[0] ? strstr(old, s->old) : NULL;
	bool ends = !s->main.len || old[s->main.len - 1] == '\n';

	if (at &&
	    buf_printf(&b, err, "%.*s%s%s", (int)(at - old), old, s->text, at + strlen(s->old)) < 0)
		return -1;
	if (!at && buf_printf(&b, err, "%s%s%s%s", old, ends ? "" : "\n", s->main.len ? "\n" : "",
			      s->text) < 0)
		return -1;
	return file_replace(AT_FDCWD, path, mode, b.data, b.len, err);
}

int handler_edit_install(const struct containerd *c, const struct handler_edit *s, char *ret_backup,
			 size_t size, struct err *err)
{
	CLEANUP_FREE char *real = realpath(c->config, NULL); /* a link stays a link */
	const char *path = real ? real : c->config;
	char candidate[PATH_MAX], dir[PATH_MAX];
	struct stat st;
	mode_t mode = stat(path, &st) == 0 ? st.st_mode & 07777 : 0644;

	ret_backup[0] = '\0';
	if (!str_fmt(candidate, sizeof(candidate), "%s.crossarch-new", path) ||
	    !str_fmt(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path))
		return err_set(err, ERR_LIMIT, "the path %s is too long", path);
	if ((!real && dir_make(dir, 0755, err) < 0) || write_candidate(s, candidate, mode, err) < 0)
		return -1;
	if (check_candidate(c, s, candidate, err) < 0 ||
	    (real && !s->no_backup && keep_old(path, s, mode, ret_backup, size, err) < 0)) {
		(void)unlink(candidate);
		return -1;
	}
	if (rename(candidate, path) < 0) {
		(void)err_sys(err, ERR_IO, "install %s", path);
		(void)unlink(candidate);
		return -1;
	}
	return 0;
}
