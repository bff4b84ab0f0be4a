/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/dry_run.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/dry_run_ask.h"
#include "runtime/cli/dry_run_private.h"
#include "runtime/cli/level_judge.h"
#include "runtime/cli/temporary.h"
#include "runtime/oci/settings.h"

/* --- the temporary bundle -------------------------------------------------------------------- */

struct scratch {
	char path[PATH_MAX];
	int fd;
};

#define WHAT "check"

/* The names in it are ours and links, and what is mounted there is unmounted first. */
static void scratch_remove(struct scratch *s)
{
	char rootfs[PATH_MAX];
	struct dirent *e;
	DIR *d;

	if (s->fd < 0)
		return;
	if (str_fmt(rootfs, sizeof(rootfs), "%s/rootfs", s->path))
		while (umount2(rootfs, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			continue;
	d = fdopendir(fd_steal(&s->fd));
	while (d && (e = readdir(d)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, "..") &&
		    unlinkat(dirfd(d), e->d_name, 0) < 0)
			(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
	(void)rmdir(s->path);
}
#define CLEANUP_SCRATCH CLEANUP(scratch_remove)

static void sweep_one(const char *path, int fd)
{
	struct scratch s = { .fd = fd };

	(void)str_copy(s.path, sizeof(s.path), path);
	scratch_remove(&s);
}

void dry_run_sweep(pid_t pid)
{
	temporary_sweep(WHAT, pid, sweep_one);
}

/* Everything of the real bundle except config.json, by links. */
static int scratch_link(const struct scratch *s, const char *bundle, struct err *err)
{
	DIR *d = opendir(bundle);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return err_sys(err, ERR_IO, "open bundle %.200s", bundle);
	while (rc == 0 && (e = readdir(d))) {
		char target[PATH_MAX];

		if (str_eq(e->d_name, ".") || str_eq(e->d_name, "..") ||
		    str_after(e->d_name, "config.json"))
			continue;
		if (!str_fmt(target, sizeof(target), "%s/%s", bundle, e->d_name) ||
		    symlinkat(target, s->fd, e->d_name) < 0)
			rc = err_sys(err, ERR_IO, "link to %.200s/%.80s", bundle, e->d_name);
	}
	closedir(d);
	return rc;
}

static int scratch_fill(const struct scratch *s, const struct dry_run *c, struct err *err)
{
	if (c->bundle && scratch_link(s, c->bundle, err) < 0)
		return -1;
	return file_replace(s->fd, "config.json", 0600, c->config, strlen(c->config), err);
}

/* --- prepare --------------------------------------------------------------------------------- */

/* The pipe that in real life comes from "crossarch image-platform". */
static int platform_make(const struct dry_run *c, int *ret_fd, struct err *err)
{
	CLEANUP_FD int out = -1;
	char text[128];

	if (!c->platform)
		return 0;
	(void)str_fmt(text, sizeof(text), "platform=%s\n", c->platform);
	if (fd_pipe(ret_fd, &out, 0, err) < 0)
		return -1;
	if (fd_write_all(out, text, strlen(text)) < 0)
		return err_sys(err, ERR_IO, "write the platform for crossarch-prepare");
	return 0;
}

static int ask_about_bundle(const struct dry_run *c, const struct scratch *s, struct report *ret,
			    struct err *err)
{
	CLEANUP_FD int platform = -1;
	const struct prepare_request r = {
		.id = "check",
		.config_path = c->config_path,
		.mounts = c->mounts,
		.n_mounts = c->n_mounts,
	};

	if (platform_make(c, &platform, err) < 0)
		return -1;
	return dry_run_ask(c->prepare, "create", &r, s->fd, platform, ret, err);
}

/* What the shim asks `crossarch cpu-models`. */
static void ask_for_levels(struct report *r)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	const struct level_question q = { r->handler, r->program, r->cpu, r->program_level,
					  r->image_level };
	char line[DIAGNOSIS_MAX + 1];
	struct err ignored;

	if (node_read(&n, &ignored) < 0 || !level_refused(&n, &q, line))
		return;
	r->verdict = VERDICT_REFUSE;
	r->n_warnings = 0;
	(void)str_copy(r->code, sizeof(r->code), cause_row(CAUSE_CPU_EMULATED)->code);
	(void)str_copy(r->line, sizeof(r->line), line);
}

int dry_run(const struct dry_run *c, struct report *ret, struct err *err)
{
	CLEANUP_SCRATCH struct scratch s = { .fd = -1 };

	if (temporary_make(WHAT, s.path, &s.fd, err) < 0 || scratch_fill(&s, c, err) < 0)
		return -1;
	if (ask_about_bundle(c, &s, ret, err) < 0)
		return -1;
	if (ret->flags & REPORT_PRIVATE)
		dry_run_private(c->prepare, c->config, ret);
	if (ret->program_level || ret->image_level)
		ask_for_levels(ret);
	return 0;
}

int dry_run_isolate(struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(err, ERR_IO,
			       "a mount namespace of our own (it takes root with CAP_SYS_ADMIN; "
			       "kubectl debug gives it with --profile=sysadmin)");
	return 0;
}

/* --- config.json where there is none --------------------------------------------------------- */

static json *strings_of(const char *const *list)
{
	json *array = json_object_new_array();

	for (; list && *list; list++)
		json_object_array_add(array, json_object_new_string(*list));
	return array;
}

/* Owns what it is given. */
static json *spec_of(const char *root, json *args, json *env, const char *cwd)
{
	json *spec = json_object_new_object(), *process = json_object_new_object();
	json *root_object = json_object_new_object();

	json_object_object_add(process, "args", args);
	json_object_object_add(process, "env", env);
	json_object_object_add(process, "cwd", json_object_new_string(cwd && *cwd ? cwd : "/"));
	json_object_object_add(root_object, "path", json_object_new_string(root));
	json_object_object_add(spec, "ociVersion", json_object_new_string("1.0.2"));
	json_object_object_add(spec, "process", process);
	json_object_object_add(spec, "root", root_object);
	return spec;
}

json *spec_of_rootfs(const char *root, const char *const *args, const char *const *env,
		     const char *cwd)
{
	return spec_of(root, strings_of(args), strings_of(env), cwd);
}

/* Appends the members of the array @key of @config, if there is one. */
static int append_strings(json *config, const char *key, json *to, struct err *err)
{
	json *from;

	if (json_typed(config, key, json_type_array, &from, err) < 0)
		return -1;
	for (size_t i = 0; from && i < json_object_array_length(from); i++)
		json_object_array_add(to, json_object_get(json_object_array_get_idx(from, i)));
	return 0;
}

int spec_of_image(const void *bytes, size_t n, const char *const *args, json **ret, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	CLEANUP_JSON json *command = NULL;
	CLEANUP_JSON json *env = NULL;
	const char *cwd;
	json *config;

	if (json_parse(bytes, n, "image configuration", &document, err) < 0 ||
	    json_typed(document, "config", json_type_object, &config, err) < 0 ||
	    json_text(config, "WorkingDir", "/", &cwd, err) < 0)
		return -1;
	command = strings_of(args);
	env = json_object_new_array();
	if (append_strings(config, "Env", env, err) < 0)
		return -1;
	if (!json_object_array_length(command) &&
	    (append_strings(config, "Entrypoint", command, err) < 0 ||
	     append_strings(config, "Cmd", command, err) < 0))
		return -1;
	*ret = spec_of("rootfs", steal(command), steal(env), cwd);
	return 0;
}

void spec_ask_for(json *spec, const struct platform *wanted)
{
	json *annotations = json_object_new_object();
	char text[PLATFORM_TEXT];

	platform_format(wanted, text);
	json_object_object_add(annotations, SETTINGS_ANNOTATION "platform",
			       json_object_new_string(text));
	json_object_object_add(spec, "annotations", annotations);
}
