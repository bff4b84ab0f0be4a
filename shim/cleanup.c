/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/task.pb-c.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/spawn.h"
#include "runtime/base/str.h"
#include "shim/actions.h"
#include "shim/host/private.h"
#include "shim/host/unmount.h"
#include "shim/socket.h"
#include "shim/task/record.h"

/*
 * `delete` runs after every container, after a crash of its shim and after a failed Create. It has
 * five seconds, must accept that anything is missing, and must succeed: a failure leaves the bundle
 * behind and the id unusable (shim-protocol 1.11).
 */
#define ENGINE_BOUND_MS 3000
#define STATUS_KILLED 137 /* what the stock shim reports for a container it had to end */

static void bundle_of(const struct args *a, char ret[PATH_MAX])
{
	char cwd[PATH_MAX];

	ret[0] = '\0';
	if (*a->bundle)
		str_copy(ret, PATH_MAX, a->bundle);
	else if (getcwd(cwd, sizeof(cwd)))
		str_copy(ret, PATH_MAX, cwd);
}

/* Waits for @pid at most the bound, then ends it; false when it came to that. */
static bool await(pid_t pid)
{
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	bool ended = fd >= 0 && poll(&p, 1, ENGINE_BOUND_MS) == 1;

	if (!ended)
		kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return ended;
}

/* False when there was nothing to do: no engine ever ran for this bundle, or it is through with it.
 */
static bool engine_delete(const char *bundle, const char *id)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct engine_request r = { .verb = ENGINE_DELETE, .id = id };
	struct spawn what = { .new_group = true };
	struct engine engine;
	struct argv argv;
	struct err err;
	pid_t pid;

	if (record_read(bundle, &arena, &engine, &err) < 0 ||
	    engine_argv(&engine, &r, &arena, &argv, &err) < 0)
		return false;
	what.path = engine.path;
	what.argv = (char *const *)(uintptr_t)argv.v;
	for (int tries = 0; tries < 2 && (!tries || record_engine_knows(&engine, id)); tries++) {
		if (spawn(&what, &pid, &err) < 0)
			log_warning(id, "delete: %s", err.text);
		else if (!await(pid))
			break;
	}
	return true;
}

static void unmount_rootfs(const char *bundle, const char *id)
{
	char rootfs[PATH_MAX];

	if (str_fmt(rootfs, sizeof(rootfs), "%s/rootfs", bundle) && rootfs_unmount(rootfs) != 0)
		log_warning(id, "delete: %s is still mounted", rootfs);
}

/*
 * A shim that was killed a moment ago still holds its socket until the kernel is done with it. One
 * that ended its container in order and listens has other containers to serve.
 */
static void remove_when_dead(const char *path, bool crashed)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };

	for (int i = 0; crashed && i < 20 && socket_state(path) == SOCKET_ALIVE; i++)
		nanosleep(&pause, NULL);
	socket_remove_stale(path);
}

/*
 * The socket of a killed shim would otherwise stay until the same pod starts again. After a failed
 * Create containerd may have removed the bundle, and with it the address, before we get to it;
 * then it is the one that this container alone would have.
 */
static void remove_socket(const struct args *a, const char *bundle, bool crashed)
{
	struct buf CLEANUP_BUF text = BUF_INIT(512);
	char path[PATH_MAX], own[SOCKET_PATH_MAX + 1];
	const char *socket_name;
	struct err err;

	if (!*bundle || !str_fmt(path, sizeof(path), "%s/address", bundle) ||
	    file_read(AT_FDCWD, path, &text, &err) < 0) {
		if (socket_path("", a->address, a->namespace, a->id, own, &err) == 0)
			remove_when_dead(own, crashed);
		return;
	}
	socket_name = str_after(buf_str(&text), "unix://");
	if (socket_name && *socket_name == '/')
		remove_when_dead(socket_name, crashed);
}

static int print_result(pid_t pid, struct err *err)
{
	Crossarch__DeleteResponse reply = CROSSARCH__DELETE_RESPONSE__INIT;
	Crossarch__Timestamp at = CROSSARCH__TIMESTAMP__INIT;
	uint8_t packed[64];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	at.seconds = now.tv_sec;
	at.nanos = (int32_t)now.tv_nsec;
	reply.pid = (uint32_t)pid;
	reply.exit_status = STATUS_KILLED;
	reply.exited_at = &at;
	if (fd_write_all(STDOUT_FILENO, packed, crossarch__delete_response__pack(&reply, packed)) <
	    0)
		return err_sys(err, ERR_IO, "print the result");
	return 0;
}

int action_delete(const struct args *a, struct err *err)
{
	char bundle[PATH_MAX];
	bool crashed = true;
	pid_t pid;

	bundle_of(a, bundle);
	pid = record_init_pid(bundle);
	if (*bundle) {
		crashed = engine_delete(bundle, a->id);
		record_sweep(bundle, a->id);
		unmount_rootfs(bundle, a->id);
		private_release(bundle);
	}
	remove_socket(a, bundle, crashed);
	return print_result(pid, err);
}
