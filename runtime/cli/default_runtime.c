/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/default_runtime.h"

#include <string.h>

#include "runtime/base/str.h"

#define KEY "default_runtime_name"
#define MARK_NEW "# crossarch: for every pod without a class."
#define MARK_INSTEAD "# crossarch: for every pod without a class, in the place of:"

struct line {
	const char *text;
	size_t n, indent;
};

static bool take(const char **rest, struct line *ret)
{
	if (!str_line(rest, &ret->text, &ret->n))
		return false;
	ret->indent = strspn(ret->text, " \t");
	return true;
}

static bool is_line(const struct line *l, const char *text)
{
	return l->n == strlen(text) && memcmp(l->text, text, l->n) == 0;
}

static bool is_key(const struct line *l)
{
	const char *after = str_after(l->text + l->indent, KEY);

	return after && after[strspn(after, " \t")] == '=';
}

static bool is_table(const struct line *l)
{
	return l->indent < l->n && l->text[l->indent] == '[';
}

/* --- finding what stands there --------------------------------------------------------------- */

struct present {
	const char *table; /* behind the line that begins the table, NULL without one */
	const char *key;   /* the line in it, NULL without one */
	struct line line;
};

static void look(const char *file, struct present *ret)
{
	char ignored[HANDLER_NAME_MAX];
	bool inside = false;
	struct line l;

	*ret = (struct present){ .table = NULL };
	while (take(&file, &l)) {
		if (is_table(&l)) {
			inside = config_table_of(l.text, l.n, ignored) == CONFIG_PARENT;
			if (inside && !ret->table)
				ret->table = file;
		} else if (inside && is_key(&l)) {
			*ret = (struct present){ ret->table, l.text, l };
			return;
		}
	}
}

/* --- setting --------------------------------------------------------------------------------- */

static int replace(const char *file, const struct present *p, const char *name, struct buf *out,
		   struct err *err)
{
	int n = (int)p->line.n, indent = (int)p->line.indent;
	const char *rest = p->key + n;

	return buf_printf(out, err, "%.*s" MARK_INSTEAD "\n#%.*s\n%.*s" KEY " = \"%s\"%s",
			  (int)(p->key - file), file, n, p->key, indent, p->key, name, rest);
}

static int insert(const char *file, const struct present *p, const char *name, struct buf *out,
		  struct err *err)
{
	return buf_printf(out, err, "%.*s" MARK_NEW "\n  " KEY " = \"%s\"\n%s",
			  (int)(p->table - file), file, name, p->table);
}

int default_runtime_set(const char *file, unsigned int version, const char *name, struct buf *out,
			struct err *err)
{
	struct present p;
	size_t n = strlen(file);

	look(file, &p);
	if (p.key)
		return replace(file, &p, name, out, err);
	if (p.table && p.table[-1] == '\n')
		return insert(file, &p, name, out, err);
	return buf_printf(out, err, "%s%s%s" MARK_NEW "\n[%s]\n  " KEY " = \"%s\"\n", file,
			  n && file[n - 1] != '\n' ? "\n" : "", n ? "\n" : "",
			  handlers_parent(version), name);
}

/* --- undoing --------------------------------------------------------------------------------- */

/* The bytes that go, [from, to), and what comes in their place. */
struct undo {
	const char *from, *to;
	const char *old;
	size_t old_n;
	bool table;
};

static bool undo_instead(const struct line *mark, const char *rest, struct undo *ret)
{
	struct line old, key;

	if (!take(&rest, &old) || !take(&rest, &key) || *old.text != '#' || !is_key(&key))
		return false;
	*ret = (struct undo){ mark->text, key.text + key.n, old.text + 1, old.n - 1, false };
	return true;
}

static bool undo_new(const char *file, const struct line *mark, const char *rest, struct undo *ret)
{
	const char *from = mark->text;
	struct line l;
	bool table;

	if (!take(&rest, &l))
		return false;
	table = is_table(&l);
	if (table) {
		/* The empty line before the table came with it. */
		from -= from > file + 1 && from[-1] == '\n' && from[-2] == '\n';
		if (!take(&rest, &l))
			return false;
	}
	*ret = (struct undo){ .from = from, .to = rest, .table = table };
	return is_key(&l);
}

static bool find(const char *file, struct undo *ret)
{
	const char *rest = file;
	struct line l;

	while (take(&rest, &l)) {
		if (is_line(&l, MARK_INSTEAD) && undo_instead(&l, rest, ret))
			return true;
		if (is_line(&l, MARK_NEW) && undo_new(file, &l, rest, ret))
			return true;
	}
	return false;
}

bool default_runtime_is_set(const char *file)
{
	struct undo ignored;

	return find(file, &ignored);
}

bool default_runtime_has_table(const char *file)
{
	struct undo u;

	return find(file, &u) && u.table;
}

int default_runtime_unset(const char *file, struct buf *out, struct err *err)
{
	struct undo u;

	if (!find(file, &u))
		return buf_printf(out, err, "%s", file);
	return buf_printf(out, err, "%.*s%.*s%s", (int)(u.from - file), file, (int)u.old_n,
			  u.old ? u.old : "", u.to);
}
