/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/prepare/client.h"
#include "shim/actions.h"
#include "shim/bootstrap.h"
#include "shim/group.h"
#include "shim/host/cgroup.h"
#include "shim/host/private_emulators.h"
#include "shim/resident.h"
#include "shim/socket.h"
#include "shim/task/options.h"

/*
 * The order: key, socket, resident process, address file, address printed. containerd connects as
 * soon as it has read the address, so by then the socket has to listen; and a containerd 1.x that
 * restarts finds the shim by the address file alone.
 */

static int write_address(const char *address, struct err *err)
{
	return file_replace(AT_FDCWD, "address", 0600, address, strlen(address), err);
}

/* From here a socket exists; whatever fails removes it and the process that was to serve it. */
static int launch(const struct resident *r, const char *cgroup, int listener, struct err *err)
{
	pid_t pid = 0;

	if (resident_start(r, listener, &pid, err) == 0 &&
	    (!*cgroup || cgroup_join(cgroup, pid, err) == 0))
		return 0;
	/* Waited for: until it is gone the next `start` would take its socket for a live one. */
	if (pid && kill(pid, SIGKILL) == 0)
		waitpid(pid, NULL, 0);
	unlink(r->socket_path);
	return -1;
}

static int find_or_launch(const struct resident *r, const struct bootstrap *boot,
			  const char *cgroup, struct err *err)
{
	char address[SOCKET_PATH_MAX + 16];
	CLEANUP_FD int listener = -1;

	if (socket_listen(r->socket_path, &listener, err) < 0)
		return -1;
	if (listener >= 0 && launch(r, cgroup, listener, err) < 0)
		return -1;
	str_fmt(address, sizeof(address), "unix://%s", r->socket_path);
	if (write_address(address, err) < 0)
		return -1;
	return bootstrap_answer(boot, address, STDOUT_FILENO, err);
}

/* Where events go. The environment says so, up to containerd 2.3 at least. */
static const char *find_events(const struct bootstrap *boot)
{
	const char *said = getenv("TTRPC_ADDRESS");

	return said && *said ? said : boot->ttrpc_address;
}

/*
 * The cgroup that the resident process is to be in. In a table of options it is TOML, which is not
 * for us to parse; to see that there is no such key, its name is enough.
 */
static int find_cgroup(const struct resident *r, struct report *room, const char **ret,
		       struct err *err)
{
	const struct prepare_request *o = r->options;

	*ret = o->shim_cgroup ? o->shim_cgroup : "";
	if (**ret || !o->config_body || !strstr(o->config_body, "ShimCgroup"))
		return 0;
	if (prepare_settings(r->paths->prepare, o, room, err) < 0)
		return -1;
	*ret = room->decided.shim_cgroup;
	return 0;
}

static int find_socket(const struct args *a, const struct bootstrap *boot, struct arena *arena,
		       char path[SOCKET_PATH_MAX + 1], struct err *err)
{
	const char *group;

	if (*a->socket)
		return str_copy(path, SOCKET_PATH_MAX + 1, a->socket)
			       ? 0
			       : err_set(err, ERR_INVALID, "-socket is longer than %d bytes",
					 SOCKET_PATH_MAX);
	if (group_read(AT_FDCWD, arena, &group, err) < 0)
		return -1;
	return socket_path(boot->socket_dir, a->address, a->namespace, *group ? group : a->id, path,
			   err);
}

int action_start(struct args *a, struct err *err)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct prepare_request options = { .id = NULL };
	char path[SOCKET_PATH_MAX + 1];
	struct bootstrap boot;
	struct report settings;
	struct paths paths;
	struct resident r = { a, &paths, &options, path, "", "" };
	char home[PATH_MAX];
	const char *cgroup;

	if (paths_find(&arena, &paths, err) < 0 ||
	    bootstrap_read(STDIN_FILENO, a, &arena, &boot, err) < 0)
		return -1;
	bootstrap_complete(&boot, a);
	if (args_check(a, err) < 0)
		return -1;
	options.id = a->id;
	r.events = find_events(&boot);
	if (boot.params && getcwd(home, sizeof(home)))
		r.home = home;
	private_emulators_sweep();
	if (options_read(boot.options, &arena, &options, err) < 0 ||
	    find_cgroup(&r, &settings, &cgroup, err) < 0 ||
	    find_socket(a, &boot, &arena, path, err) < 0)
		return -1;
	return find_or_launch(&r, &boot, cgroup, err);
}
