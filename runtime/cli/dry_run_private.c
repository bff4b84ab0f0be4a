/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/dry_run_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/cli/dry_run_ask.h"
#include "runtime/oci/json.h"

/*
 * Whether a container gets its own emulators shows only when they are registered from inside its
 * user namespace. That is done here in another one with the same mapping, which goes away with the
 * process that holds it; in the container's own, a mount would hide the node's handlers for good.
 */
#define MAP_MAX 4096

struct maps {
	struct buf uid, gid;
};

static void maps_deinit(struct maps *m)
{
	buf_deinit(&m->uid);
	buf_deinit(&m->gid);
}
#define CLEANUP_MAPS CLEANUP(maps_deinit)

/* --- the mapping ----------------------------------------------------------------------------- */

static int64_t int_member(json *object, const char *key)
{
	json *value = json_member(object, key);

	return value && json_object_is_type(value, json_type_int) ? json_object_get_int64(value)
								  : -1;
}

/* An array of the specification as the text that the kernel takes. */
static int map_of_spec(json *lnx, const char *key, struct buf *ret, struct err *err)
{
	json *array;

	if (json_typed(lnx, key, json_type_array, &array, err) < 0)
		return -1;
	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		json *item = json_object_array_get_idx(array, i);

		if (buf_printf(ret, err, "%lld %lld %lld\n",
			       (long long)int_member(item, "containerID"),
			       (long long)int_member(item, "hostID"),
			       (long long)int_member(item, "size")) < 0)
			return -1;
	}
	if (!ret->len)
		return err_set(err, ERR_INVALID, "config.json has no %s", key);
	return 0;
}

/* That of the namespace @path, /proc/PID/ns/user, which the container is to join. */
static int map_of_process(const char *path, const char *name, struct buf *ret, struct err *err)
{
	const char *end = strstr(path, "/ns/user");
	char file[128];

	if (!str_after(path, "/proc/") || !end ||
	    !str_fmt(file, sizeof(file), "%.*s/%s", (int)(end - path), path, name))
		return err_set(err, ERR_UNSUPPORTED, "%.200s is not below /proc", path);
	return file_read(AT_FDCWD, file, ret, err);
}

static const char *path_to_join(json *lnx)
{
	json *array = json_member(lnx, "namespaces");

	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		json *item = json_object_array_get_idx(array, i);
		const char *type, *path;
		struct err ignored;

		if (json_text(item, "type", "", &type, &ignored) == 0 && str_eq(type, "user") &&
		    json_text(item, "path", "", &path, &ignored) == 0 && *path)
			return path;
	}
	return NULL;
}

static int read_maps(const char *config, struct maps *ret, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	const char *path;
	json *lnx;

	if (json_parse(config, strlen(config), "config.json", &document, err) < 0)
		return -1;
	lnx = json_member(document, "linux");
	path = path_to_join(lnx);
	if (path)
		return map_of_process(path, "uid_map", &ret->uid, err) < 0 ||
				       map_of_process(path, "gid_map", &ret->gid, err) < 0
			       ? -1
			       : 0;
	return map_of_spec(lnx, "uidMappings", &ret->uid, err) < 0 ||
			       map_of_spec(lnx, "gidMappings", &ret->gid, err) < 0
		       ? -1
		       : 0;
}

/* --- the namespace --------------------------------------------------------------------------- */

/* Says so on @ready when it is in a namespace of its own, and stays until it is killed. */
static void hold_namespace(int ready)
{
	char ok = unshare(CLONE_NEWUSER) == 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)!write(ready, &ok, 1);
	for (;;)
		pause();
}

static int start_holder(pid_t *ret, struct err *err)
{
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;
	char ok = 0;
	pid_t pid;

	if (fd_pipe(&in, &out, 0, err) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		hold_namespace(out);
	if (pid < 0)
		return err_sys(err, ERR_IO, "fork");
	*ret = pid;
	fd_close(&out);
	if (read(in, &ok, 1) != 1 || !ok)
		return err_set(err, ERR_IO, "no user namespace can be made here");
	return 0;
}

static int write_map(pid_t pid, const char *name, const struct buf *map, struct err *err)
{
	char path[48];
	CLEANUP_FD int fd = -1;

	(void)str_fmt(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map->data, map->len) != (ssize_t)map->len)
		return err_sys(err, ERR_IO, "write %s", name);
	return 0;
}

/* --- the trial ------------------------------------------------------------------------------- */

static int ask_prepare(const char *program, pid_t holder, const struct report *r,
		       struct report *ret, struct err *err)
{
	const struct prepare_request q = {
		.id = "check",
		.init_pid = (uint64_t)holder,
		.guest_row = r->guest_row + 1,
		.program = r->program,
		.guest = r->guest,
		.flags = REQUEST_TRIAL,
	};

	return dry_run_ask(program, "private", &q, -1, -1, ret, err);
}

static int attempt(const char *program, const char *config, const struct report *r,
		   struct report *ret, pid_t *holder, struct err *err)
{
	CLEANUP_MAPS struct maps maps = { BUF_INIT(MAP_MAX), BUF_INIT(MAP_MAX) };

	if (read_maps(config, &maps, err) < 0 || start_holder(holder, err) < 0 ||
	    write_map(*holder, "uid_map", &maps.uid, err) < 0 ||
	    write_map(*holder, "gid_map", &maps.gid, err) < 0)
		return -1;
	return ask_prepare(program, *holder, r, ret, err);
}

void dry_run_private(const char *program, const char *config, struct report *r)
{
	CLEANUP_FREE struct report *answer = calloc(1, sizeof(*answer));
	struct err err = ERR_INIT;
	pid_t holder = 0;
	int rc = answer ? attempt(program, config, r, answer, &holder, &err) : -1;

	if (holder) {
		kill(holder, SIGKILL);
		while (waitpid(holder, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	if (rc == 0 && answer->verdict == VERDICT_REFUSE) {
		r->verdict = VERDICT_REFUSE;
		(void)str_copy(r->code, sizeof(r->code), answer->code);
		(void)str_copy(r->line, sizeof(r->line), answer->line);
	} else if ((rc < 0 || answer->verdict == VERDICT_NONE) && r->n_warnings < REPORT_WARNINGS) {
		(void)str_fmt(r->warnings[r->n_warnings++], sizeof(r->warnings[0]),
			      "whether root of its user namespace can use the emulator was not "
			      "tried: %s",
			      rc < 0 ? err.text : answer->err.text);
	}
}
