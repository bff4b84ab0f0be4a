/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/spawn.h"
#include "runtime/base/str.h"
#include "shim/actions.h"
#include "shim/bootstrap.h"
#include "shim/group.h"
#include "shim/host/cgroup.h"
#include "shim/host/private.h"
#include "shim/host/sched.h"
#include "shim/socket.h"
#include "shim/task/options.h"

/* The order of shim-protocol 1.5: key, socket, resident process, address file, address printed. */

/* The options go to the resident process as they came: CRI may later replace them per container. */
static int options_fd(const Crossarch__Any *options, int *ret, struct err *err)
{
	CLEANUP_FD int fd = -1;
	CLEANUP_FREE uint8_t *packed = NULL;
	size_t n;

	*ret = -1;
	if (!options)
		return 0;
	n = crossarch__any__get_packed_size(options);
	packed = malloc(n + 1);
	if (!packed)
		return err_set(err, ERR_NOMEM, "no memory for the runtime options");
	crossarch__any__pack(options, packed);
	fd = memfd_create("crossarch-options", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, packed, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "hand on the runtime options");
	*ret = fd_steal(&fd);
	return 0;
}

/* containerd reads this FIFO; when it is away or full, lines are dropped (shim-protocol 1.9). */
static int log_fd(void)
{
	return open("log", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static int start_daemon(const struct args *a, const struct paths *paths, const char *socket_name,
			int listener, int options, pid_t *ret_pid, struct err *err)
{
	const char *argv[12];
	CLEANUP_FD int log = log_fd();
	struct spawn_fd map[] = { { listener, SERVE_SOCKET_FD },
				  { options, SERVE_OPTIONS_FD },
				  { log, STDERR_FILENO } };
	struct spawn what = { .path = paths->self,
			      .argv = (char *const *)(uintptr_t)argv,
			      .cwd = "/",
			      .fds = map,
			      .n_fds = ARRAY_SIZE(map),
			      .new_session = true };
	size_t n = 0;

	argv[n++] = paths->self;
	argv[n++] = "-namespace";
	argv[n++] = a->namespace;
	argv[n++] = "-id";
	argv[n++] = a->id;
	argv[n++] = "-address";
	argv[n++] = a->address;
	argv[n++] = "-socket";
	argv[n++] = socket_name;
	if (a->debug)
		argv[n++] = "-debug";
	argv[n] = NULL;
	return spawn(&what, ret_pid, err);
}

static int place_daemon(pid_t pid, const struct report *r, struct err *err)
{
	if (*r->shim_cgroup && cgroup_join(r->shim_cgroup, pid, err) < 0)
		return -1;
	return sched_oom_above(pid, getppid(), err);
}

static int write_address(const char *address, struct err *err)
{
	return file_replace(AT_FDCWD, "address", 0600, address, strlen(address), err);
}

/* From here a socket exists; whatever fails removes it and the process that was to serve it. */
static int launch(const struct args *a, const struct paths *paths, const struct report *r,
		  const struct bootstrap *boot, const char *path, int listener, struct err *err)
{
	CLEANUP_FD int options = -1;
	pid_t pid = 0;

	if (options_fd(boot->options, &options, err) == 0 &&
	    start_daemon(a, paths, path, listener, options, &pid, err) == 0 &&
	    place_daemon(pid, r, err) == 0)
		return 0;
	/* Waited for: until it is gone the next `start` would take its socket for a live one. */
	if (pid && kill(pid, SIGKILL) == 0)
		waitpid(pid, NULL, 0);
	unlink(path);
	return -1;
}

static int find_or_launch(const struct args *a, const struct bootstrap *boot,
			  const struct report *r, const struct paths *paths, const char *path,
			  struct err *err)
{
	char address[SOCKET_PATH_MAX + 16];
	CLEANUP_FD int listener = -1;

	if (socket_listen(path, &listener, err) < 0)
		return -1;
	if (listener >= 0 && launch(a, paths, r, boot, path, listener, err) < 0)
		return -1;
	str_fmt(address, sizeof(address), "unix://%s", path);
	if (write_address(address, err) < 0)
		return -1;
	if (fd_write_all(STDOUT_FILENO, address, strlen(address)) < 0)
		return err_sys(err, ERR_IO, "print the address");
	return 0;
}

int action_start(const struct args *a, struct err *err)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct prepare_request request = { .id = a->id };
	char path[SOCKET_PATH_MAX + 1];
	struct bootstrap boot;
	struct paths paths;
	struct report r;

	private_sweep();
	if (paths_find(&paths, err) < 0 || bootstrap_read(STDIN_FILENO, &arena, &boot, err) < 0 ||
	    options_read(boot.options, &arena, &request, err) < 0 ||
	    group_ask(&paths, ".", &request, &r, err) < 0)
		return -1;
	if (*a->socket ? !str_copy(path, sizeof(path), a->socket)
		       : socket_path(boot.socket_dir, a->address, a->namespace,
				     *r.group ? r.group : a->id, path, err) < 0)
		return *a->socket ? err_set(err, ERR_INVALID, "-socket is longer than %d bytes",
					    SOCKET_PATH_MAX)
				  : -1;
	return find_or_launch(a, &boot, &r, &paths, path, err);
}
