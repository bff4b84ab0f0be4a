/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/engine/argv.h"

#include <stdio.h>

static void add_word(struct argv *a, const char *word)
{
	if (a->n + 1 >= ENGINE_ARGV_MAX) {
		a->overflow = true;
		return;
	}
	a->v[a->n++] = word;
	a->v[a->n] = NULL;
}

static void add_if(struct argv *a, bool condition, const char *word)
{
	if (condition)
		add_word(a, word);
}

static void add_option(struct argv *a, const char *option, const char *value)
{
	if (!value || !*value)
		return;
	add_word(a, option);
	add_word(a, value);
}

static void add_signal(struct argv *a, const struct engine_request *r, struct arena *arena)
{
	char *number = arena_alloc(arena, 16);

	if (!number) {
		a->overflow = true;
		return;
	}
	snprintf(number, 16, "%u", r->signal);
	add_word(a, number);
}

static void add_criu(struct argv *a, const struct engine_request *r)
{
	add_option(a, "--image-path", r->image_path);
	add_option(a, "--work-path", r->work_path);
	add_option(a, "--manage-cgroups-mode", r->manage_cgroups);
	add_if(a, r->open_tcp, "--tcp-established");
	add_if(a, r->external_unix, "--ext-unix-sk");
	add_if(a, r->shell_job, "--shell-job");
	add_if(a, r->file_locks, "--file-locks");
	for (size_t i = 0; i < r->n_empty_namespaces; i++)
		add_option(a, "--empty-ns", r->empty_namespaces[i]);
}

static void add_create(struct argv *a, const struct engine_request *r)
{
	add_option(a, "--bundle", r->bundle);
	add_option(a, "--pid-file", r->pid_file);
	add_option(a, "--console-socket", r->console);
	add_if(a, r->no_pivot, "--no-pivot");
}

static void add_verb(struct argv *a, const struct engine_request *r, struct arena *arena)
{
	add_word(a, engine_verb_name(r->verb));
	switch (r->verb) {
	case ENGINE_CREATE:
		add_create(a, r);
		add_if(a, r->no_new_keyring, "--no-new-keyring");
		break;
	case ENGINE_EXEC:
		add_option(a, "--process", r->process);
		add_option(a, "--console-socket", r->console);
		add_word(a, "--detach");
		add_option(a, "--pid-file", r->pid_file);
		break;
	case ENGINE_KILL_ALL:
		add_word(a, "--all");
		break;
	case ENGINE_DELETE:
		add_word(a, "--force");
		break;
	case ENGINE_UPDATE:
		add_word(a, "--resources");
		add_word(a, "-");
		break;
	case ENGINE_CHECKPOINT:
		add_criu(a, r);
		add_option(a, "--parent-path", r->parent_path);
		add_if(a, r->leave_running, "--leave-running");
		break;
	case ENGINE_RESTORE:
		add_create(a, r);
		add_criu(a, r);
		add_word(a, "--detach");
		break;
	case ENGINE_FEATURES:
		return;
	case ENGINE_START:
	case ENGINE_KILL:
	case ENGINE_PAUSE:
	case ENGINE_RESUME:
	case ENGINE_VERB_N:
		break;
	}
	add_word(a, r->id);
	if (r->verb == ENGINE_KILL || r->verb == ENGINE_KILL_ALL)
		add_signal(a, r, arena);
}

int engine_argv(const struct engine *e, const struct engine_request *r, struct arena *arena,
		struct argv *ret, struct err *err)
{
	*ret = (struct argv){ .n = 0 };
	add_word(ret, e->path);
	add_option(ret, "--root", e->root);
	if (r->log && *r->log) {
		add_option(ret, "--log", r->log);
		add_option(ret, "--log-format", "json");
	}
	add_if(ret, e->systemd_cgroup, "--systemd-cgroup");
	add_verb(ret, r, arena);
	if (ret->overflow)
		return err_set(err, ERR_LIMIT, "command line for %s %s has more than %d words",
			       e->path, engine_verb_name(r->verb), ENGINE_ARGV_MAX - 1);
	return 0;
}

const char *engine_verb_name(enum engine_verb verb)
{
	static const char *const names[ENGINE_VERB_N] = {
		[ENGINE_CREATE] = "create",   [ENGINE_START] = "start",
		[ENGINE_EXEC] = "exec",	      [ENGINE_KILL] = "kill",
		[ENGINE_KILL_ALL] = "kill",   [ENGINE_DELETE] = "delete",
		[ENGINE_PAUSE] = "pause",     [ENGINE_RESUME] = "resume",
		[ENGINE_UPDATE] = "update",   [ENGINE_CHECKPOINT] = "checkpoint",
		[ENGINE_RESTORE] = "restore", [ENGINE_FEATURES] = "features",
	};

	return verb < ENGINE_VERB_N ? names[verb] : "?";
}
