/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/containerd_handler.h"

/* The bytes of the main file that go: [from, to). */
struct cut {
	size_t from, to;
};

/* --- what to take out ------------------------------------------------------------------------ */

/* True when @text stands in front of @at; moves @at before it. */
static bool step_back(const char *file, size_t *at, const char *text)
{
	size_t n = strlen(text);

	if (*at < n || memcmp(file + *at - n, text, n) != 0)
		return false;
	*at -= n;
	return true;
}

static int find_own(const struct handler_edit *s, const char *path, struct cut *ret,
		    struct err *err)
{
	CLEANUP_BUF struct buf own = BUF_INIT(2048);
	const char *file = buf_str(&s->main);
	const char *at = handler_edit_find(file, &s->main_config, s->name, &own);

	if (!at)
		return err_set(err, ERR_NOT_FOUND,
			       "%s does not have the lines that \"config containerd --write\" "
			       "adds; whatever is left of the handler %s has to be taken out by "
			       "hand, there or in a file that it imports",
			       path, s->name);
	*ret = (struct cut){ (size_t)(at - file), (size_t)(at - file) + own.len };
	return 0;
}

/* The entry for runc that was restated in front of ours, with and without its options. */
static int widen(const struct handler_edit *s, struct cut *cut, struct err *err)
{
	const char *table = handlers_table(s->main_config.version);

	for (int systemd = 0; systemd < 2; systemd++) {
		CLEANUP_BUF struct buf runc = BUF_INIT(2048);

		if (handler_text_runc(table, systemd, &runc, err) < 0)
			return -1;
		if (step_back(buf_str(&s->main), &cut->from, buf_str(&runc)))
			break;
	}
	return 0;
}

/* A file that was made for our handler goes with it; else the empty line between them does. */
static void take_edges(const char *file, bool made_for_us, struct cut *cut)
{
	size_t at = cut->from;

	if (made_for_us && step_back(file, &at, HANDLER_HEAD) && at == 0 && !file[cut->to])
		cut->from = 0;
	else if (cut->from > 1 && file[cut->from - 1] == '\n' && file[cut->from - 2] == '\n')
		cut->from--;
}

/* --- taking it out --------------------------------------------------------------------------- */

static int write_rest(const struct handler_edit *s, const struct cut *cut, const char *path,
		      mode_t mode, struct buf *ret, struct err *err)
{
	const char *file = buf_str(&s->main);

	if (buf_add(ret, file, cut->from, err) < 0 ||
	    buf_add(ret, file + cut->to, s->main.len - cut->to, err) < 0)
		return -1;
	return file_replace(AT_FDCWD, path, mode, buf_str(ret), ret->len, err);
}

static int check_rest(const struct containerd *c, const struct handler_edit *s, const char *path,
		      struct err *err)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	const struct runtime_handler *ours;

	if (!config)
		return err_set(err, ERR_NOMEM, "no memory for a configuration");
	if (handler_edit_try(c, s, path, config, err) < 0)
		return -1;
	ours = handler_named(config, s->name);
	if (!ours)
		return 0;
	return err_set(err, ERR_PRECONDITION,
		       "something else defines the handler %s as well, here or in a file that is "
		       "imported; take it out by hand",
		       s->name);
}

/* Leaves the new file at @path and its text in @ret when it is good. */
static int try_cut(const struct containerd *c, const struct handler_edit *s, const struct cut *cut,
		   const char *path, mode_t mode, struct buf *ret, struct err *err)
{
	if (write_rest(s, cut, path, mode, ret, err) == 0 && check_rest(c, s, path, err) == 0)
		return 0;
	buf_deinit(ret);
	(void)unlink(path);
	return -1;
}

/* True when @old is @now with a handler of ours that was replaced later. */
static bool is_same_without_us(const struct handler_edit *edit, const struct buf *old,
			       const struct buf *now)
{
	CLEANUP_FREE struct handler_edit *s = calloc(1, sizeof(*s));
	struct cut cut;
	struct err ignored;

	if (!s)
		return false;
	(void)str_copy(s->name, sizeof(s->name), edit->name);
	s->main = *old; /* only looked at */
	containerd_config_read(buf_str(old), &s->main_config);
	if (find_own(s, "", &cut, &ignored) < 0 || widen(s, &cut, &ignored) < 0)
		return false;
	take_edges(buf_str(old), !now->len, &cut);
	return old->len - (cut.to - cut.from) == now->len &&
	       memcmp(buf_str(old), buf_str(now), cut.from) == 0 &&
	       str_eq(buf_str(old) + cut.to, buf_str(now) + cut.from);
}

enum backups { BACKUPS_OTHER, BACKUPS_REPLACED, BACKUPS_EQUAL };

/*
 * Whether one of the backups is what is left now, or was that with a handler of ours in it; such
 * ones are removed if @drop.
 */
static enum backups look_at_backups(const struct handler_edit *s, const char *path,
				    const struct buf *now, bool drop)
{
	enum backups best = BACKUPS_OTHER;
	char pattern[PATH_MAX];
	glob_t found;

	if (!str_fmt(pattern, sizeof(pattern), "%s" HANDLER_BACKUP "*", path) ||
	    glob(pattern, 0, NULL, &found) != 0)
		return best;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		CLEANUP_BUF struct buf old = BUF_INIT(1u << 20);
		enum backups what = BACKUPS_OTHER;
		struct err ignored;

		if (file_read(AT_FDCWD, found.gl_pathv[i], &old, &ignored) < 0)
			continue;
		if (str_eq(buf_str(&old), buf_str(now)))
			what = BACKUPS_EQUAL;
		else if (is_same_without_us(s, &old, now))
			what = BACKUPS_REPLACED;
		best = what > best ? what : best;
		if (drop && what != BACKUPS_OTHER)
			(void)unlink(found.gl_pathv[i]);
	}
	globfree(&found);
	return best;
}

static int put_in_place(const struct handler_edit *s, const char *candidate, const char *path,
			const struct buf *now, enum handler_removed *ret, struct err *err)
{
	enum backups backups = look_at_backups(s, path, now, true);

	*ret = backups != BACKUPS_OTHER || !now->len ? HANDLER_AS_BEFORE : HANDLER_TAKEN_OUT;
	if (backups == BACKUPS_EQUAL || now->len)
		return rename(candidate, path) < 0 ? err_sys(err, ERR_IO, "install %s", path) : 0;
	(void)unlink(candidate);
	return unlink(path) < 0 ? err_sys(err, ERR_IO, "remove %s", path) : 0;
}

/* A short file of a person's own looks like one that was made for us; its backup tells them apart.
 */
static bool is_made_for_us(const struct handler_edit *s, const char *path, const struct cut *cut)
{
	CLEANUP_BUF struct buf rest = BUF_INIT(1u << 20);
	struct cut plain = *cut;
	struct err ignored;

	take_edges(buf_str(&s->main), false, &plain);
	return buf_add(&rest, buf_str(&s->main), plain.from, &ignored) < 0 ||
	       look_at_backups(s, path, &rest, false) != BACKUPS_EQUAL;
}

int handler_edit_remove(const struct containerd *c, struct handler_edit *s,
			enum handler_removed *ret, struct err *err)
{
	CLEANUP_FREE char *real = realpath(c->config, NULL); /* a link stays a link */
	CLEANUP_BUF struct buf now = BUF_INIT(1u << 20);
	const char *path = real ? real : c->config;
	char candidate[PATH_MAX];
	struct cut own, all;
	struct stat st;
	mode_t mode = stat(path, &st) == 0 ? st.st_mode & 07777 : 0644;
	bool fresh;

	if (!str_fmt(candidate, sizeof(candidate), "%s.crossarch-new", path))
		return err_set(err, ERR_LIMIT, "the path %s is too long", path);
	if (find_own(s, c->config, &own, err) < 0)
		return -1;
	all = own;
	if (widen(s, &all, err) < 0)
		return -1;
	fresh = is_made_for_us(s, path, &all);
	take_edges(buf_str(&s->main), fresh, &own);
	take_edges(buf_str(&s->main), fresh, &all);
	if (try_cut(c, s, &all, candidate, mode, &now, err) < 0 &&
	    (own.from == all.from || try_cut(c, s, &own, candidate, mode, &now, err) < 0))
		return err_in(err, "with the handler taken out");
	return put_in_place(s, candidate, path, &now, ret, err);
}
