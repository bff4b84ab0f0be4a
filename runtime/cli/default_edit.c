/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/default_edit.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/config_backup.h"
#include "runtime/cli/config_compare.h"
#include "runtime/cli/config_trial.h"
#include "runtime/cli/containerd_handler.h"
#include "runtime/cli/default_runtime.h"

static bool is_default(const struct handler_edit *s, const char *name)
{
	return str_eq(s->config.default_runtime, name) ||
	       (s->place.made[0] && default_runtime_is_set(buf_str(&s->file)));
}

/* @name NULL: whichever there is afterwards. */
static int try_text(const struct handler_edit *s, const char *text, const char *name,
		    struct err *err)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	CLEANUP_BUF struct buf dump = BUF_INIT(1u << 20);
	const struct config_said before = { buf_str(&s->dump), &s->config };
	struct config_said after = { NULL, config };

	if (!config)
		return err_set(err, ERR_NOMEM, "no memory for a configuration");
	if (config_trial(s->places->containerd, &s->place, text, &dump, err) < 0)
		return err_in(err, "containerd refuses the new default runtime");
	containerd_config_read(buf_str(&dump), config);
	after.dump = buf_str(&dump);
	if (config_compare(&before, &after, true, err) < 0)
		return -1;
	if (!name || str_eq(config->default_runtime, name))
		return 0;
	return err_set(err, ERR_PRECONDITION,
		       "the default runtime would still be %s: a file that is read later says so",
		       config->default_runtime);
}

static int replace(struct default_edit *e, const struct handler_edit *s, const struct buf *text,
		   struct err *err)
{
	(void)str_copy(e->path, sizeof(e->path), s->place.path);
	e->changed = true;
	return config_file_install(&s->place, &s->file, !e->no_backup, text, e->backup,
				   sizeof(e->backup), err);
}

int default_edit_install(struct default_edit *e, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(2u << 20);
	const struct runtime_handler *ours;
	bool waits;

	if (handler_edit_read(e->places, &s, err) < 0)
		return -1;
	ours = handler_present(&s, &waits);
	if (!ours)
		return err_set(err, ERR_PRECONDITION, "there is no handler %s to be the default",
			       s.name);
	(void)str_copy(e->name, sizeof(e->name), ours->name);
	(void)str_copy(e->path, sizeof(e->path), s.place.path);
	if (is_default(&s, ours->name))
		return 0;
	if (default_runtime_set(buf_str(&s.file), s.place.version, ours->name, &text, err) < 0 ||
	    try_text(&s, buf_str(&text), ours->name, err) < 0)
		return -1;
	return replace(e, &s, &text, err);
}

int default_edit_text(const struct config_places *places, struct buf *ret, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	const struct runtime_handler *ours;
	bool waits;

	if (handler_edit_read(places, &s, err) < 0)
		return -1;
	ours = handler_present(&s, &waits);
	if (is_default(&s, ours ? ours->name : s.name))
		return 0;
	return default_runtime_set("", s.place.version, ours ? ours->name : s.name, ret, err);
}

/* In whichever of the places it was done. */
static int read_changed(struct config_places *one, const struct config_places *all,
			struct handler_edit *s, bool *ret_found, struct err *err)
{
	*ret_found = false;
	for (size_t i = 0; i < all->n && !*ret_found; i++) {
		*one = (struct config_places){ all->containerd, { all->list[i] }, 1 };
		handler_edit_deinit(s);
		if (handler_edit_read(one, s, err) < 0)
			return -1;
		*ret_found = default_runtime_is_set(buf_str(&s->file));
	}
	return 0;
}

int default_edit_remove(struct default_edit *e, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(2u << 20);
	struct config_places one;
	bool is_set;

	if (read_changed(&one, e->places, &s, &is_set, err) < 0)
		return -1;
	if (!is_set)
		return 0;
	if (default_runtime_unset(buf_str(&s.file), &text, err) < 0 ||
	    try_text(&s, buf_str(&text), NULL, err) < 0)
		return -1;
	/* A backup that the file is equal to again says nothing. */
	(void)config_backup_drop(s.place.path, &text);
	e->no_backup = true;
	return replace(e, &s, &text, err);
}
