/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_containerd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_journal.h"
#include "runtime/cli/containerd_handler.h"
#include "runtime/cli/default_edit.h"
#include "runtime/cli/handler_settings.h"
#include "runtime/cli/node_emulation.h"
#include "runtime/cli/containerd_restart.h"

#define ARCHS_MAX 32

/* One edit after the other: each finds what the one before it left. */
struct configuring {
	const struct cli_command *self;
	const struct config_options *o;
	const struct installation *at;
	struct config_places places;
	struct config_journal journal; /* for when containerd does not come back */
	bool platforms;		       /* not only the handler for all is asked for */
	bool changed;		       /* something was written or taken out */
	bool printed;		       /* the text of a handler */
};

/* --- words ----------------------------------------------------------------------------------- */

/* A text that is one document below the key of another one has its lines indented. */
static void print_text(const struct configuring *g, const char *text)
{
	const char *line;
	size_t n;

	if (g->at->distribution->source != CONFIG_BY_BOOT) {
		printf("%s", text);
		return;
	}
	while (str_line(&text, &line, &n))
		printf(n ? "      %.*s\n" : "%.*s\n", (int)n, line);
}

/* Where the lines go that follow. */
static void print_place(const struct configuring *g, const struct config_place *p,
			const char *version)
{
	const struct distribution *d = g->at->distribution;

	printf("# For containerd %s of %s, ", version, d->title);
	if (d->source == CONFIG_BY_BOOT) {
		printf("in the user data of its nodes, from which nodeadm writes %s at every boot; "
		       "until the next one \"crossarch config containerd --write\" does.\n"
		       "apiVersion: node.eks.aws/v1alpha1\n"
		       "kind: NodeConfig\n"
		       "spec:\n"
		       "  containerd:\n"
		       "    config: |\n",
		       p->path);
		return;
	}
	printf("%s %s; or let \"crossarch config containerd --write\" do it.\n",
	       config_place_is_ours(p) ? "in" : "at the end of", p->path);
}

static void print_handler(struct configuring *g, const struct handler_edit *s)
{
	char settings[400];

	if (s->old[0])
		printf("# For containerd %s, in %s in the place of the handler that is there (%s); "
		       "or let \"crossarch config containerd --write\" do it.\n",
		       s->version, s->place.path, s->lack);
	else if (!g->printed)
		print_place(g, &s->place, s->version);
	if (s->arch) {
		(void)str_fmt(settings, sizeof(settings),
			      "# %s has at least { \"platform\": \"linux/%s\" } in it.\n",
			      s->settings, s->arch->name);
		print_text(g, settings);
	}
	print_text(g, s->text);
	g->printed = true;
}

/* What is left to do after files were changed, unless --restart does it. */
static void print_restart(const struct configuring *g, const char *what)
{
	const struct distribution *d = g->at->distribution;

	if (!g->changed || g->o->restart)
		return;
	if (d->by_itself)
		printf("%s: nothing, %s restarts its containerd by itself within seconds (running "
		       "pods are not affected)\n",
		       what, d->title);
	else
		printf("%s: %s (running pods are not affected)\n", what, g->at->restart);
}

/* --- writing --------------------------------------------------------------------------------- */

static void tell_settings(const struct handler_edit *s)
{
	printf("made its settings %s, which begin as those of the node; what changes there later "
	       "has to be changed here as well\n",
	       s->settings);
}

static int write_handler(struct configuring *g, const struct handler_edit *s, struct err *err)
{
	char backup[PATH_MAX];

	if (config_journal_add(&g->journal, s->place.path, err) < 0 ||
	    handler_edit_install(s, backup, sizeof(backup), err) < 0)
		return err_in(err, "%s is as it was", s->place.path);
	if (s->old[0])
		printf("changed the handler %s in %s\n", s->name, s->place.path);
	else
		printf("added the handler %s to %s\n", s->name, s->place.path);
	if (*backup)
		printf("the file as it was: %s\n", backup);
	g->changed = true;
	return 0;
}

/* The file comes before the handler that names it, and goes again when there is no handler. */
static int write_both(struct configuring *g, const struct handler_edit *s, struct err *err)
{
	bool made = false;

	if (s->arch && (config_journal_add(&g->journal, s->settings, err) < 0 ||
			handler_settings_write(s->settings, s->arch, &made, err) < 0))
		return -1;
	if (s->text[0] && write_handler(g, s, err) < 0) {
		if (made)
			(void)unlink(s->settings);
		return -1;
	}
	if (made)
		tell_settings(s);
	return 0;
}

/* The handler is there; what it lacks nevertheless is for a person to decide. */
static void show_present(const struct configuring *g, const struct handler_edit *s)
{
	bool waits;
	const char *name = handler_present(s, &waits)->name;

	if (waits)
		printf("# %s has the handler %s already, but %s has not read it yet: %s\n",
		       s->place.path, name, g->at->distribution->title, g->at->restart);
	else
		printf("# containerd %s has the handler %s already (%s). Nothing to do.\n",
		       s->version, name, g->at->containerd.config);
	if (s->lack)
		printf("# But: %s. As it was not written by \"--write\", it is left alone; take "
		       "it out to have one written.\n",
		       s->lack);
}

/* The handler for @a, NULL: the one for all. */
static int add_handler(struct configuring *g, const struct arch *a, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	char settings[256];

	if (a && handler_settings_path_of(g->o->settings, a, settings, sizeof(settings), err) < 0)
		return -1;
	s.arch = a;
	s.settings = a ? settings : NULL;
	s.no_backup = g->changed;
	s.after_another = g->printed;
	if (handler_edit_plan(&g->places, &s, err) < 0)
		return -1;
	if (!s.text[0] && (a || s.lack || !g->platforms))
		show_present(g, &s);
	if (g->o->write)
		return write_both(g, &s, err);
	if (s.text[0])
		print_handler(g, &s);
	return 0;
}

/* Before anything is written. */
static int check_directory(const struct config_options *o, struct err *err)
{
	char path[256];

	for (size_t i = 0; i < o->n_archs; i++)
		if (handler_settings_path_of(o->settings, o->archs[i], path, sizeof(path), err) < 0)
			return -1;
	return 0;
}

/* --- the default ----------------------------------------------------------------------------- */

static int print_default(struct configuring *g, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(4096);

	if (default_edit_text(&g->places, &text, err) < 0)
		return -1;
	print_text(g, buf_str(&text));
	return 0;
}

/* k3s' own table comes first, and no table may be there twice. */
static int explain_default(const struct configuring *g, struct err *err)
{
	const struct config_place *p = &g->places.list[g->places.n - 1];

	if (p->kind != PLACE_TEMPLATE || !g->at->distribution->templates[0])
		return -1;
	return err_in(err,
		      "start %s with --default-runtime crossarch in the place of --default, as "
		      "its own file has this table",
		      g->at->distribution->name);
}

static int write_default(struct configuring *g, struct err *err)
{
	struct default_edit e = { .places = &g->places, .no_backup = g->changed };

	for (size_t i = 0; i < g->places.n; i++)
		if (config_journal_add(&g->journal, g->places.list[i].path, err) < 0)
			return -1;
	if (default_edit_install(&e, err) < 0)
		return explain_default(g, err);
	g->changed |= e.changed;
	if (!e.changed) {
		printf("# %s is the default runtime already. Nothing to do.\n", e.name);
		return 0;
	}
	printf("made %s the default runtime, that of every pod without a class, in %s\n", e.name,
	       e.path);
	if (*e.backup)
		printf("the file as it was: %s\n", e.backup);
	return 0;
}

/* "never" comes before the handler that is to obey it. */
static int write_emulation(struct configuring *g, struct err *err)
{
	char path[PATH_MAX];
	bool changed;

	if (!str_fmt(path, sizeof(path), "%s/config.json", g->o->settings) ||
	    config_journal_add(&g->journal, path, err) < 0 ||
	    node_emulation_never(g->o->settings, path, sizeof(path), &changed, err) < 0)
		return -1;
	if (changed)
		printf("nothing is emulated here from now on (%s)\n", path);
	return 0;
}

static int add_all(struct configuring *g, struct err *err)
{
	const struct config_options *o = g->o;

	if (check_directory(o, err) < 0 ||
	    (o->write && o->emulation && write_emulation(g, err) < 0) ||
	    add_handler(g, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < o->n_archs; i++)
		if (add_handler(g, o->archs[i], err) < 0)
			return -1;
	if (!o->is_default)
		return 0;
	return o->write ? write_default(g, err) : print_default(g, err);
}

/* --- taking it out --------------------------------------------------------------------------- */

static int remove_settings(struct configuring *g, const char *path, const struct arch *a,
			   struct err *err)
{
	bool left;

	if (!*path)
		return 0;
	if (config_journal_add(&g->journal, path, err) < 0 ||
	    handler_settings_remove(path, a, &left, err) < 0)
		return -1;
	if (left)
		printf("left %s: somebody has changed it, or the node's settings\n", path);
	return 0;
}

static int remove_handler(struct configuring *g, const struct arch *a, struct err *err)
{
	CLEANUP_HANDLER_EDIT struct handler_edit s = HANDLER_EDIT_INIT;
	const struct runtime_handler *ours;
	enum handler_removed how;
	char settings[256] = "";
	bool waits;

	s.arch = a;
	if (handler_edit_read(&g->places, &s, err) < 0)
		return -1;
	ours = handler_present(&s, &waits);
	if (!ours) {
		printf("# containerd %s has no handler %s of ours (%s). Nothing to do.\n",
		       s.version, s.name, g->at->containerd.config);
		return 0;
	}
	if (a)
		(void)str_copy(settings, sizeof(settings), handler_settings_path(ours));
	if (config_journal_add(&g->journal, s.place.path, err) < 0 ||
	    handler_edit_remove(&s, &how, err) < 0)
		return err_in(err, "%s is as it was", s.place.path);
	printf("took the handler %s out of %s%s\n", s.name, s.place.path,
	       how == HANDLER_AS_BEFORE ? ", which is as it was before it came" : "");
	g->changed = true;
	return remove_settings(g, settings, a, err);
}

static int find_platforms_at(const struct config_place *p, const struct arch **ret, size_t max,
			     size_t *ret_n, struct err *err)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);

	if (!config)
		return err_set(err, ERR_NOMEM, "no memory for a configuration");
	if (file_read(AT_FDCWD, p->path, &text, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	containerd_config_read(buf_str(&text), config);
	for (size_t i = config->n; i-- > 0;) {
		const struct runtime_handler *r = &config->runtimes[i];
		const struct arch *a = handler_is_ours(r) ? handler_arch(r->name) : NULL;

		if (a && *ret_n < max)
			ret[(*ret_n)++] = a;
	}
	return 0;
}

/* Those for one platform that are there, the last one first. */
static int find_platforms(const struct configuring *g, const struct arch **ret, size_t max,
			  size_t *ret_n, struct err *err)
{
	*ret_n = 0;
	for (size_t i = 0; i < g->places.n; i++)
		if (find_platforms_at(&g->places.list[i], ret, max, ret_n, err) < 0)
			return -1;
	return 0;
}

static int remove_default(struct configuring *g, struct err *err)
{
	struct default_edit e = { .places = &g->places };

	for (size_t i = 0; i < g->places.n; i++)
		if (config_journal_add(&g->journal, g->places.list[i].path, err) < 0)
			return -1;
	if (default_edit_remove(&e, err) < 0)
		return -1;
	if (e.changed)
		printf("the default runtime is again what it was, in %s\n", e.path);
	g->changed |= e.changed;
	return 0;
}

static int remove_emulation(struct configuring *g, struct err *err)
{
	char path[PATH_MAX];
	bool changed, left;

	if (!str_fmt(path, sizeof(path), "%s/config.json", g->o->settings) ||
	    config_journal_add(&g->journal, path, err) < 0 ||
	    node_emulation_undo(g->o->settings, path, sizeof(path), &changed, &left, err) < 0)
		return -1;
	if (changed)
		printf("%s is as it was before --emulation never\n", path);
	if (left)
		printf("left %s: somebody has changed it\n", path);
	return 0;
}

/* Without names all of it, what came first last. */
static int remove_all(struct configuring *g, struct err *err)
{
	const struct config_options *o = g->o;
	const struct arch *all[ARCHS_MAX];
	const struct arch *const *archs = o->archs;
	size_t n = o->n_archs;
	bool every = !n && !o->is_default;

	if ((every || o->is_default) && remove_default(g, err) < 0)
		return -1;
	if (every && find_platforms(g, all, ARRAY_SIZE(all), &n, err) < 0)
		return -1;
	archs = every ? all : archs;
	for (size_t i = 0; i < n; i++)
		if (remove_handler(g, archs[i], err) < 0)
			return -1;
	if (!every)
		return 0;
	return remove_handler(g, NULL, err) < 0 ? -1 : remove_emulation(g, err);
}

/* --- the node -------------------------------------------------------------------------------- */

/* A containerd that does not come back gets its old files back, and once more the command. */
static int restart_or_undo(struct configuring *g)
{
	struct err err = ERR_INIT, again = ERR_INIT;
	unsigned int patience = (unsigned int)g->o->patience_s;
	pid_t before;

	printf("restarting containerd: %s\n",
	       g->at->distribution->by_itself ? "the distribution does it" : g->at->restart);
	fflush(stdout);
	if (containerd_restart(g->at, g->at->containerd.pid, patience, &err) == 0) {
		printf("containerd is back\n");
		return CLI_DONE;
	}
	before = containerd_listener(g->at->socket);
	if (config_journal_undo(&g->journal, &again) < 0)
		return cli_fail(g->self, "%s; and the old files could not be put back: %s",
				err.text, again.text);
	if (containerd_restart(g->at, before, patience, &again) < 0)
		return cli_fail(g->self,
				"%s. All files are as they were, but it does not come back with "
				"them either: %s",
				err.text, again.text);
	return cli_fail(g->self,
			"%s. All files are as they were, and containerd is back with them; its "
			"log says why",
			err.text);
}

static int configure_node(struct configuring *g)
{
	const struct config_options *o = g->o;
	struct err err = ERR_INIT;
	int rc = config_places_find(g->at, &g->places, &err);

	g->platforms = o->n_archs > 0;
	if (rc == 0)
		rc = o->remove ? remove_all(g, &err) : add_all(g, &err);
	print_restart(g, o->remove ? "To be rid of it" : "To use it");
	if (g->changed && g->at->distribution->source == CONFIG_BY_BOOT)
		printf("nodeadm writes %s anew at every boot: \"crossarch config containerd\" "
		       "prints what makes it last\n",
		       g->at->containerd.config);
	if (rc < 0)
		return cli_fail(g->self, "%s", err.text);
	return o->restart && g->changed ? restart_or_undo(g) : CLI_DONE;
}

/* Scripts note which file was written, and name that one when they take it back. */
static bool is_place(const struct installation *at, const char *file)
{
	struct config_places places;
	struct err ignored;

	if (config_places_find(at, &places, &ignored) < 0)
		return false;
	for (size_t i = 0; i < places.n; i++)
		if (str_eq(places.list[i].path, file))
			return true;
	return false;
}

int config_containerd(const struct cli_command *self, const struct config_options *o)
{
	CLEANUP_INSTALLATION struct installation node = { .distribution = NULL };
	CLEANUP_FREE struct configuring *g = calloc(1, sizeof(*g));
	struct containerd *c = &node.containerd;
	struct err err = ERR_INIT;
	int status;

	if (!g)
		return cli_fail(self, "no memory");
	if (installation_find(o->distribution, o->socket, &node, &err) < 0)
		return err.code == ERR_INVALID
			       ? cli_usage(self, "%s", err.text)
			       : cli_fail(
					 self,
					 "%s. Install or start containerd, or name its socket with "
					 "--address.",
					 err.text);
	if (o->file && !is_place(&node, o->file) &&
	    (o->file[0] != '/' || !str_copy(c->config, sizeof(c->config), o->file)))
		return cli_usage(self, "--file wants an absolute path");
	*g = (struct configuring){ .self = self, .o = o, .at = &node };
	status = configure_node(g);
	config_journal_deinit(&g->journal);
	return status;
}
