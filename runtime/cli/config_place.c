/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/config_imports.h"
#include "runtime/cli/containerd_config.h"

/* Late among the files of a directory, which are read in the order of their names. */
#define OWN_FILE "90-crossarch.toml"

/* k0s leaves a main file without this line alone, and the files of its directory with it. */
#define K0S_MANAGED "# k0s_managed=true"
#define K0S_MERGED "/run/k0s/containerd-cri.toml"

bool config_place_is_ours(const struct config_place *p)
{
	return p->kind == PLACE_DROP_IN || p->kind == PLACE_MERGED;
}

/* --- what is there --------------------------------------------------------------------------- */

static unsigned int version_of_text(const char *text)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));

	if (!config)
		return 2;
	containerd_config_read(text, config);
	return config->version;
}

static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n")];
}

/* An absent file is an empty one. */
static int read_text(const char *path, struct buf *ret, struct err *err)
{
	return file_read(AT_FDCWD, path, ret, err) < 0 && err->code != ERR_NOT_FOUND ? -1 : 0;
}

/* Newest notation that the containerd reads which has not said so in a file. */
static unsigned int version_of_program(const struct containerd *c)
{
	char version[64];
	struct err ignored;

	if (containerd_program_version(c, version, sizeof(version), &ignored) < 0)
		return 2;
	return strtoul(version, NULL, 10) >= 2 ? 3 : 2;
}

/* --- the places ------------------------------------------------------------------------------ */

struct finding_places {
	const struct installation *at;
	const char *main; /* its path */
	struct buf text;  /* and contents */
	char dir[PATH_MAX];
	struct config_places *ret;
};

static struct config_place *add(struct finding_places *f, enum config_place_kind kind,
				unsigned int version)
{
	struct config_place *p = &f->ret->list[f->ret->n++];

	*p = (struct config_place){ .kind = kind, .version = version };
	(void)str_fmt(p->head, sizeof(p->head), "version = %u\n\n", version);
	return p;
}

static void add_main(struct finding_places *f)
{
	unsigned int version = is_blank(buf_str(&f->text)) ? 2 : version_of_text(buf_str(&f->text));
	struct config_place *p = add(f, PLACE_MAIN, version);

	(void)str_copy(p->path, sizeof(p->path), f->main);
}

/* containerd 1.x replaces tables by those of an imported file, so there it is no place for ours. */
static void add_drop_in(struct finding_places *f)
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct config_import import;
	struct config_place *p;

	if (!config_import_directory(buf_str(&f->text), f->main, dir, &import) ||
	    !str_fmt(path, sizeof(path), "%s/" OWN_FILE, dir) ||
	    version_of_program(&f->at->containerd) < 3)
		return;
	p = add(f, PLACE_DROP_IN, version_of_text(buf_str(&f->text)));
	(void)str_copy(p->path, sizeof(p->path), path);
}

/*
 * k3s takes the template for version 3 where there is one, else that for version 2, else its own.
 * So a new one must not come before a person's; its version is that of the file k3s makes now.
 */
static bool template_path(const struct finding_places *f, unsigned int version, char ret[PATH_MAX],
			  unsigned int *ret_version)
{
	const char *const *names = f->at->distribution->templates;

	for (size_t i = 0; i < 2; i++)
		if (names[i] && str_fmt(ret, PATH_MAX, "%s/%s", f->dir, names[i]) &&
		    access(ret, F_OK) == 0) {
			*ret_version = names[0] ? 3 - (unsigned int)i : version;
			return true;
		}
	*ret_version = version;
	return names[version < 3] && str_fmt(ret, PATH_MAX, "%s/%s", f->dir, names[version < 3]);
}

static void add_template(struct finding_places *f)
{
	unsigned int version = is_blank(buf_str(&f->text)) ? version_of_program(&f->at->containerd)
							   : version_of_text(buf_str(&f->text));
	char path[PATH_MAX];
	struct config_place *p;

	if (!template_path(f, version, path, &version))
		return;
	p = add(f, PLACE_TEMPLATE, version);
	(void)str_copy(p->path, sizeof(p->path), path);
	(void)str_copy(p->made, sizeof(p->made), f->main);
	(void)str_copy(p->head, sizeof(p->head), "{{ template \"base\" . }}\n\n");
}

/* The file k0s merges into is one of those that the main file imports. */
static void find_merged(const struct finding_places *f, char ret[PATH_MAX])
{
	struct config_import list[CONFIG_IMPORTS];
	size_t n = config_imports(buf_str(&f->text), list, CONFIG_IMPORTS);
	const char *name = strrchr(K0S_MERGED, '/');

	(void)str_copy(ret, PATH_MAX, K0S_MERGED);
	for (size_t i = 0; i < n; i++)
		if (list[i].n > strlen(name) &&
		    memcmp(list[i].text + list[i].n - strlen(name), name, strlen(name)) == 0)
			(void)str_fmt(ret, PATH_MAX, "%.*s", (int)list[i].n, list[i].text);
}

static int add_merged(struct finding_places *f, struct err *err)
{
	CLEANUP_BUF struct buf merged = BUF_INIT(1u << 20);
	const char *text = buf_str(&f->text);
	char made[PATH_MAX];
	struct config_place *p;

	if (!is_blank(text) && !strstr(text, K0S_MANAGED)) {
		add_main(f); /* a person has taken it over */
		return 0;
	}
	find_merged(f, made);
	if (read_text(made, &merged, err) < 0)
		return -1;
	p = add(f, PLACE_MERGED,
		is_blank(buf_str(&merged)) ? version_of_program(&f->at->containerd)
					   : version_of_text(buf_str(&merged)));
	(void)str_copy(p->made, sizeof(p->made), made);
	if (!str_fmt(p->path, sizeof(p->path), "%s/%s/" OWN_FILE, f->dir,
		     f->at->distribution->drop_ins))
		return err_set(err, ERR_LIMIT, "the path %s is too long", f->dir);
	return 0;
}

static int add_all(struct finding_places *f, struct err *err)
{
	enum config_source source = f->at->distribution->source;

	if (source == CONFIG_BY_MERGE)
		return add_merged(f, err);
	add_drop_in(f);
	if (source == CONFIG_BY_TEMPLATE)
		add_template(f);
	else
		add_main(f);
	return 0;
}

int config_places_find(const struct installation *n, struct config_places *ret, struct err *err)
{
	struct finding_places f = {
		.at = n, .main = n->containerd.config, .text = BUF_INIT(1u << 20), .ret = ret
	};
	const char *slash;
	int rc;

	*ret = (struct config_places){ .containerd = &n->containerd };
	slash = strrchr(f.main, '/');
	if (!slash || !str_fmt(f.dir, sizeof(f.dir), "%.*s", (int)(slash - f.main), f.main))
		return err_set(err, ERR_INVALID, "%s is no absolute path", f.main);
	rc = read_text(f.main, &f.text, err);
	if (rc == 0)
		rc = add_all(&f, err);
	buf_deinit(&f.text);
	if (rc == 0 && !ret->n)
		return err_set(err, ERR_NOT_FOUND, "%s has no template in %s",
			       n->distribution->title, f.dir);
	return rc;
}
