/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_backup.h"
#include "runtime/cli/config_trial.h"
#include "runtime/cli/containerd_handler.h"
#include "runtime/cli/handler_text.h"

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
	const char *file = buf_str(&s->file);
	const char *at = handler_text_find(file, &s->file_config, s->name, &own);

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
	const char *table = handlers_table(s->file_config.version);

	for (int systemd = 0; systemd < 2; systemd++) {
		CLEANUP_BUF struct buf runc = BUF_INIT(2048);

		if (handler_text_runc(table, systemd, &runc, err) < 0)
			return -1;
		if (step_back(buf_str(&s->file), &cut->from, buf_str(&runc)))
			break;
	}
	return 0;
}

/* A file that was made for our handler goes with it; else the empty line between them does. */
static void take_edges(const char *head, const char *file, bool made_for_us, struct cut *cut)
{
	size_t at = cut->from;

	if (made_for_us && step_back(file, &at, head) && at == 0 && !file[cut->to])
		cut->from = 0;
	else if (cut->from > 1 && file[cut->from - 1] == '\n' && file[cut->from - 2] == '\n')
		cut->from--;
}

/* --- taking it out --------------------------------------------------------------------------- */

static int write_rest(const struct handler_edit *s, const struct cut *cut, struct buf *ret,
		      struct err *err)
{
	const char *file = buf_str(&s->file);

	if (buf_add(ret, file, cut->from, err) < 0)
		return -1;
	return buf_add(ret, file + cut->to, s->file.len - cut->to, err);
}

static int check_rest(const struct handler_edit *s, const char *text, struct err *err)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));

	if (!config)
		return err_set(err, ERR_NOMEM, "no memory for a configuration");
	if (handler_edit_try(s, text, config, err) < 0)
		return -1;
	if (str_eq(config->default_runtime, s->name))
		return err_set(err, ERR_PRECONDITION,
			       "default_runtime_name is %s, here or in a file that is imported; "
			       "name another one first",
			       s->name);
	if (!handler_named(config, s->name))
		return 0;
	return err_set(err, ERR_PRECONDITION,
		       "something else defines the handler %s as well, here or in a file that is "
		       "imported; take it out by hand",
		       s->name);
}

/* Leaves the new contents in @ret when they are good. */
static int try_cut(const struct handler_edit *s, const struct cut *cut, struct buf *ret,
		   struct err *err)
{
	if (write_rest(s, cut, ret, err) == 0 && check_rest(s, buf_str(ret), err) == 0)
		return 0;
	buf_deinit(ret);
	return -1;
}

struct left {
	const struct handler_edit *edit;
	const struct buf *now;
	bool *unended; /* it was that without the line break at its end, which came with ours */
};

/* True when @old is @now with a handler of ours that was replaced later. */
static bool is_same_without_us(const struct left *l, const struct buf *old)
{
	CLEANUP_FREE struct handler_edit *s = calloc(1, sizeof(*s));
	const struct config_place *p = &l->edit->place;
	const struct buf *now = l->now;
	struct cut cut;
	struct err ignored;

	if (!s)
		return false;
	(void)str_copy(s->name, sizeof(s->name), l->edit->name);
	s->file = *old; /* only looked at */
	containerd_config_read(buf_str(old), &s->file_config);
	if (p->kind != PLACE_MAIN)
		s->file_config.version = p->version;
	if (find_own(s, "", &cut, &ignored) < 0 || widen(s, &cut, &ignored) < 0)
		return false;
	take_edges(p->head, buf_str(old), !now->len, &cut);
	return old->len - (cut.to - cut.from) == now->len &&
	       memcmp(buf_str(old), buf_str(now), cut.from) == 0 &&
	       str_eq(buf_str(old) + cut.to, buf_str(now) + cut.from);
}

enum backups { BACKUPS_OTHER, BACKUPS_REPLACED, BACKUPS_EQUAL };

/* Whether a backup is what is left now, or was that with a handler of ours in it. */
static int judge(const void *ctx, const struct buf *old)
{
	const struct left *l = ctx;

	if (str_eq(buf_str(old), buf_str(l->now)))
		return BACKUPS_EQUAL;
	if (old->len && old->len + 1 == l->now->len && buf_str(l->now)[old->len] == '\n' &&
	    memcmp(old->data, l->now->data, old->len) == 0) {
		*l->unended = true;
		return BACKUPS_EQUAL;
	}
	return is_same_without_us(l, old) ? BACKUPS_REPLACED : BACKUPS_OTHER;
}

static int put_in_place(const struct handler_edit *s, const char *path, const struct buf *now,
			enum handler_removed *ret, struct err *err)
{
	bool unended = false;
	const struct left left = { s, now, &unended };
	int backups = config_backup_best(path, judge, &left, true);

	*ret = backups != BACKUPS_OTHER || !now->len ? HANDLER_AS_BEFORE : HANDLER_TAKEN_OUT;
	if (backups == BACKUPS_EQUAL || now->len)
		return file_replace(AT_FDCWD, path, config_mode(path), buf_str(now),
				    now->len - unended, err);
	return unlink(path) < 0 ? err_sys(err, ERR_IO, "remove %s", path) : 0;
}

/* A short file of a person's own looks like one that was made for us; its backup tells them apart.
 */
static bool is_made_for_us(const struct handler_edit *s, const char *path, const struct cut *cut)
{
	CLEANUP_BUF struct buf rest = BUF_INIT(1u << 20);
	bool unended = false;
	const struct left left = { s, &rest, &unended };
	struct cut plain = *cut;
	struct err ignored;

	take_edges(s->place.head, buf_str(&s->file), false, &plain);
	return buf_add(&rest, buf_str(&s->file), plain.from, &ignored) < 0 ||
	       config_backup_best(path, judge, &left, false) != BACKUPS_EQUAL;
}

int handler_edit_remove(struct handler_edit *s, enum handler_removed *ret, struct err *err)
{
	CLEANUP_FREE char *real = realpath(s->place.path, NULL); /* a link stays a link */
	CLEANUP_BUF struct buf now = BUF_INIT(1u << 20);
	const char *path = real ? real : s->place.path;
	struct cut own, all;
	bool fresh;

	if (find_own(s, s->place.path, &own, err) < 0)
		return -1;
	all = own;
	if (widen(s, &all, err) < 0)
		return -1;
	fresh = is_made_for_us(s, path, &all);
	take_edges(s->place.head, buf_str(&s->file), fresh, &own);
	take_edges(s->place.head, buf_str(&s->file), fresh, &all);
	if (try_cut(s, &all, &now, err) < 0 &&
	    (own.from == all.from || try_cut(s, &own, &now, err) < 0))
		return err_in(err, "with the handler taken out");
	return put_in_place(s, path, &now, ret, err);
}
