/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/private_pods.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/registry.h"
#include "runtime/binfmt/rule.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/output.h"
#include "runtime/oci/json.h"
#include "runtime/prepare/report.h"

/* As many ids of a pod as are told apart in a table; JSON has them all. */
#define IDS_SHOWN 3
#define SHORT_ID 12

/* One instance, while it is looked at. */
struct pod {
	const char *name; /* of its directory: the inode of the user namespace */
	char whose[200];  /* "namespace/pod" of Kubernetes, or a container's own */
	char shown[96];	  /* some ids, short */
	size_t n;	  /* containers */
	json *ids;	  /* all of them; owned */
	struct binfmt_registry handlers;
};

static void pod_deinit(struct pod *p)
{
	json_object_put(p->ids);
	binfmt_registry_deinit(&p->handlers);
}
#define CLEANUP_POD CLEANUP(pod_deinit)

/* --- whose ----------------------------------------------------------------------------------- */

static const char *annotation(json *document, const char *key)
{
	const char *value;
	struct err ignored;

	return json_text(json_member(document, "annotations"), key, "", &value, &ignored) < 0
		       ? ""
		       : value;
}

/* The CRI writes the pod's name into each specification; containers without it name themselves. */
static void name_pod(struct pod *p, const char *bundle)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);
	CLEANUP_JSON json *document = NULL;
	const char *space, *name, *id = strrchr(bundle, '/');
	char path[PATH_MAX];
	struct err ignored;

	if (!str_fmt(path, sizeof(path), "%s/config.json", bundle) ||
	    file_read(AT_FDCWD, path, &text, &ignored) < 0 ||
	    json_parse(text.data, text.len, "config.json", &document, &ignored) < 0)
		return;
	space = annotation(document, "io.kubernetes.cri.sandbox-namespace");
	name = annotation(document, "io.kubernetes.cri.sandbox-name");
	if (*space && *name)
		(void)str_fmt(p->whose, sizeof(p->whose), "%s/%s", space, name);
	else if (id && !p->whose[0])
		(void)str_copy(p->whose, sizeof(p->whose), id + 1);
}

static void add_container(struct pod *p, const char *id)
{
	size_t used = strlen(p->shown);

	if (p->n++ < IDS_SHOWN)
		(void)str_fmt(p->shown + used, sizeof(p->shown) - used, "%s%.*s", used ? "," : "",
			      SHORT_ID, id);
	json_object_array_add(p->ids, json_object_new_string(id));
}

static void read_notes(struct pod *p, int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char bundle[PATH_MAX];
		ssize_t n = readlinkat(fd, d->d_name, bundle, sizeof(bundle) - 1);

		if (n <= 0)
			continue; /* the mount, or a note that was taken away */
		bundle[n] = '\0';
		add_container(p, d->d_name);
		name_pod(p, bundle);
	}
	if (dir)
		closedir(dir);
	else
		fd_close(&copy);
}

/* --- what it holds --------------------------------------------------------------------------- */

static void read_handlers(struct pod *p, int fd)
{
	CLEANUP_FD int instance = openat(fd, PRIVATE_MOUNT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	struct err ignored;

	if (instance < 0 || fstatfs(instance, &fs) < 0 || fs.f_type != BINFMTFS_MAGIC)
		return;
	if (binfmt_registry_read(instance, true, &p->handlers, &ignored) < 0)
		p->handlers.n = 0;
}

static bool is_private(const struct binfmt_entry *e)
{
	return str_after(e->name, PRIVATE_PREFIX);
}

static const char *label_of(const struct binfmt_entry *e)
{
	const struct arch *a = emulator_arch(e);

	return a ? arch_label(a) : "-";
}

static void add_rows(struct table *t, const struct pod *p)
{
	char more[32] = "", carried[64];
	size_t n = 0;

	if (p->n > IDS_SHOWN)
		(void)str_fmt(more, sizeof(more), ",+%zu", p->n - IDS_SHOWN);
	for (size_t i = 0; i < p->handlers.n; i++) {
		const struct binfmt_entry *e = &p->handlers.entries[i];
		char ids[128], flags[8];

		if (!is_private(e))
			continue;
		(void)str_fmt(ids, sizeof(ids), "%s%s", p->shown, more);
		binfmt_flag_letters(e->flags, flags);
		table_row(t, TONE_PLAIN, 0, n ? "" : p->whose, n ? "" : ids, e->name, label_of(e),
			  e->enabled ? "enabled" : "disabled", flags, e->interpreter);
		n++;
	}
	(void)str_fmt(carried, sizeof(carried), "and %zu of the node's", p->handlers.n - n);
	if (p->handlers.n > n || !n)
		table_row(t, TONE_DIM, 2, n ? "" : p->whose, n ? "" : p->shown,
			  p->handlers.n > n ? carried : "none", "", "", "", "");
}

static json *pod_json(const struct pod *p)
{
	json *o = json_object_new_object(), *list = json_object_new_array();

	json_put_text(o, "pod", p->whose);
	json_put_text(o, "user_namespace", p->name);
	json_object_object_add(o, "containers", json_object_get(p->ids));
	for (size_t i = 0; i < p->handlers.n; i++) {
		const struct binfmt_entry *e = &p->handlers.entries[i];
		const struct arch *a = emulator_arch(e);
		json *item = json_object_new_object();

		json_put_text(item, "handler", e->name);
		json_put_text(item, "architecture", a ? arch_label(a) : NULL);
		json_put_bool(item, "enabled", e->enabled);
		json_put_bool(item, "private", is_private(e));
		json_put_text(item, "interpreter", e->interpreter);
		json_object_array_add(list, item);
	}
	json_object_object_add(o, "handlers", list);
	return o;
}

/* --- all of them ----------------------------------------------------------------------------- */

static void show_pod(int dir, const char *name, struct table *t, json *list)
{
	CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_POD struct pod p = { .name = name, .ids = json_object_new_array() };

	if (fd < 0)
		return;
	read_notes(&p, fd);
	read_handlers(&p, fd);
	if (list)
		json_object_array_add(list, pod_json(&p));
	else
		add_rows(t, &p);
}

/* The lock keeps instances from being made or taken away while we look. */
static int walk(struct table *t, json *list, struct err *err)
{
	CLEANUP_FD int fd = open(PRIVATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *d;
	DIR *dir;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || flock(fd, LOCK_SH) < 0 || !(dir = opendir(PRIVATE_DIR)))
		return err_sys(err, ERR_IO, "read " PRIVATE_DIR " (are you root?)");
	while ((d = readdir(dir)))
		if (d->d_name[0] >= '0' && d->d_name[0] <= '9')
			show_pod(fd, d->d_name, t, list);
	closedir(dir);
	return 0;
}

int private_pods_show(bool as_json, struct err *err)
{
	CLEANUP_TABLE struct table t = { NULL, 0, 0 };
	CLEANUP_JSON json *list = as_json ? json_object_new_array() : NULL;

	table_row(&t, TONE_PLAIN, 0, "POD", "CONTAINERS", "HANDLER", "FOR", "STATE", "FLAGS",
		  "INTERPRETER");
	if (walk(&t, list, err) < 0)
		return -1;
	if (list)
		json_show(steal(list));
	else if (t.n == 1)
		puts("no pod on this node has emulators of its own");
	else
		table_print(&t, 0);
	return 0;
}
