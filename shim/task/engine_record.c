/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/engine_record.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup.h"

#define RECORD_MAX 2048
#define RECORD_TAKEN "cgroup-taken=1" /* others were in the cgroup before the engine ran */

int engine_record_write(const char *bundle, const struct engine *engine, const char *cgroup,
			struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(RECORD_MAX);
	char path[PATH_MAX];

	if (!str_fmt(path, sizeof(path), "%s/%s", bundle, ENGINE_RECORD_FILE))
		return err_set(err, ERR_INVALID, "bundle path too long");
	if (!cgroup)
		cgroup = "";
	if (buf_printf(&text, err, "engine=%s\nroot=%s\nsystemd-cgroup=%d\ncgroup=%s\n%s",
		       engine->path, engine->root, engine->systemd_cgroup, cgroup,
		       cgroup_in_use(cgroup) ? RECORD_TAKEN "\n" : "") < 0)
		return err_in(err, "record of the engine");
	return file_replace(AT_FDCWD, path, 0600, text.data, text.len, err);
}

void engine_record_remove(const char *bundle)
{
	char path[PATH_MAX], ended[PATH_MAX];

	if (str_fmt(path, sizeof(path), "%s/%s", bundle, ENGINE_RECORD_FILE) &&
	    str_fmt(ended, sizeof(ended), "%s/%s", bundle, ENGINE_RECORD_ENDED) &&
	    rename(path, ended) < 0)
		unlink(path);
}

bool engine_record_is_known(const struct engine *engine, const char *id)
{
	char path[PATH_MAX];

	return str_fmt(path, sizeof(path), "%s/%s", engine->root, id) && access(path, F_OK) == 0;
}

struct record {
	struct engine *engine;
	const char *cgroup;
	bool taken;
};

static void take_line(const char *line, struct record *r)
{
	struct engine *ret = r->engine;
	const char *value;

	if ((value = str_after(line, "engine=")))
		ret->path = value;
	else if ((value = str_after(line, "root=")))
		ret->root = value;
	else if ((value = str_after(line, "systemd-cgroup=")))
		ret->systemd_cgroup = str_eq(value, "1");
	else if ((value = str_after(line, "cgroup=")))
		r->cgroup = value;
	else if (str_eq(line, RECORD_TAKEN))
		r->taken = true;
}

static int read_record(const char *bundle, const char *name, struct arena *arena, struct record *r,
		       struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(RECORD_MAX);
	char path[PATH_MAX], *copy, *line, *rest;

	if (!str_fmt(path, sizeof(path), "%s/%s", bundle, name))
		return err_set(err, ERR_INVALID, "bundle path too long");
	if (file_read(AT_FDCWD, path, &text, err) < 0)
		return -1;
	copy = arena_strdup(arena, buf_str(&text));
	if (!copy)
		return err_set(err, ERR_NOMEM, "no memory for %s", path);
	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		take_line(line, r);
	if (!r->engine->path || r->engine->path[0] != '/')
		return err_set(err, ERR_INVALID, "%s does not name an engine", path);
	return 0;
}

int engine_record_read(const char *bundle, struct arena *arena, struct engine *ret, struct err *err)
{
	struct record r = { .engine = ret, .cgroup = "" };

	*ret = (struct engine){ .root = "" };
	return read_record(bundle, ENGINE_RECORD_FILE, arena, &r, err);
}

void engine_record_sweep(const char *bundle, const char *id)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct engine engine = { .root = "" };
	struct record r = { .engine = &engine, .cgroup = "" };
	struct err err;

	if (read_record(bundle, ENGINE_RECORD_FILE, &arena, &r, &err) < 0 &&
	    read_record(bundle, ENGINE_RECORD_ENDED, &arena, &r, &err) < 0)
		return;
	if (!r.taken)
		cgroup_remove(r.cgroup, cgroup_is_of(r.cgroup, id, engine.systemd_cgroup));
}

pid_t engine_record_init_pid(const char *bundle)
{
	struct buf CLEANUP_BUF text = BUF_INIT(32);
	char path[PATH_MAX];
	uint64_t pid;
	struct err err;

	if (!str_fmt(path, sizeof(path), "%s/init.pid", bundle) ||
	    file_read(AT_FDCWD, path, &text, &err) < 0 ||
	    str_u64(buf_str(&text), "pid", INT_MAX, &pid, &err) < 0)
		return 0;
	return (pid_t)pid;
}
