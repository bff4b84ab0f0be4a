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
#include "shim/host/private_emulators.h"
#include "shim/host/unmount.h"
#include "shim/loop/loop.h"
#include "shim/sandbox/pod_cgroup.h"
#include "shim/sandbox/pod_files.h"
#include "shim/socket.h"
#include "shim/task/engine_record.h"
#include "shim/task/pod_record.h"

/*
 * `delete` runs after every container, after a crash of its shim and after a failed Create. It has
 * five seconds (io.containerd.timeout.shim.cleanup), must accept that anything is missing, and must
 * succeed: after a failure containerd keeps the bundle, and the id is unusable. So it never waits
 * without a limit: the engine and the unmounting have the times below, counted from the beginning
 * of `delete`, and what follows them needs less than the second that is left.
 */
#define ENGINE_UNTIL_MS 2500
#define ENGINE_AGAIN_UNTIL_MS 3200
#define UNMOUNT_UNTIL_MS 4000
#define KILLED_BOUND_MS 100
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

/* containerd's bundles are STATE/NAMESPACE/ID. @room keeps what @a is completed with. */
static void complete_by_bundle(struct args *a, const char *bundle, char room[PATH_MAX])
{
	char *id, *ns;

	(void)str_copy(room, PATH_MAX, bundle);
	id = strrchr(room, '/');
	if (!id)
		return;
	*id = '\0';
	ns = strrchr(room, '/');
	if (!*a->id)
		a->id = id + 1;
	if (!*a->namespace && ns)
		a->namespace = ns + 1;
}

/* Milliseconds that are left of the time which ends @until_ms after @begin. */
static int left_ms(uint64_t begin, unsigned int until_ms)
{
	uint64_t passed = (now_ns() - begin) / MS_TO_NS(1);

	return passed < until_ms ? (int)(until_ms - passed) : 0;
}

/*
 * Waits for @pid, at most @bound_ms. Returns its exit code, or -1 when it still runs then. One that
 * cannot even be killed is left to the process that inherits it. A process that somebody traces has
 * ended before its tracer lets us read its exit code.
 */
static int await(pid_t pid, int bound_ms, bool then_kill)
{
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool ended = fd >= 0 && poll(&p, 1, bound_ms) == 1;
	int status = 0;

	if (!ended && then_kill && kill(pid, SIGKILL) == 0 && fd >= 0)
		(void)poll(&p, 1, KILLED_BOUND_MS);
	if (waitpid(pid, &status, WNOHANG) != pid)
		return ended ? STATUS_KILLED : -1;
	if (!ended)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * Does nothing when no engine ever ran for this bundle, or when it has deleted the container. An
 * engine that was killed, failed or hung is run a second time: the id stays unusable as long as the
 * engine knows it.
 */
static void engine_delete(const char *bundle, struct log_subject about, uint64_t begin)
{
	static const unsigned int until_ms[] = { ENGINE_UNTIL_MS, ENGINE_AGAIN_UNTIL_MS };
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct engine_request r = { .verb = ENGINE_DELETE, .id = about.id };
	struct spawn what = { .new_group = true };
	struct engine engine;
	struct argv argv;
	struct err err;
	pid_t pid;

	if (engine_record_read(bundle, &arena, &engine, &err) < 0 ||
	    engine_argv(&engine, &r, &arena, &argv, &err) < 0)
		return;
	what.path = engine.path;
	what.argv = (char *const *)(uintptr_t)argv.v;
	for (size_t tries = 0;
	     tries < ARRAY_SIZE(until_ms) && (!tries || engine_record_is_known(&engine, about.id));
	     tries++) {
		if (spawn(&what, &pid, &err) < 0)
			log_write(LOG_WARNING, about,
				  LOG_FIELDS(.engine = engine.path, .error = err.text), "delete");
		else
			(void)await(pid, left_ms(begin, until_ms[tries]), true);
	}
}

/* Lets go of the pipes that containerd waits for, so that it can go on after our end. */
static _Noreturn void unmount_in_background(char *bundle)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null_fd < 0 || dup2(null_fd, fd) < 0)
			close(fd);
	(void)setsid();
	_exit(bundle_unmount(bundle));
}

static int unmount_once(char *bundle, uint64_t begin)
{
	pid_t pid = fork();

	if (pid == 0)
		unmount_in_background(bundle);
	return pid < 0 ? STATUS_KILLED : await(pid, left_ms(begin, UNMOUNT_UNTIL_MS), false);
}

static void unmount_rootfs(char *bundle, struct log_subject about, uint64_t begin)
{
	int code;

	if (!bundle_is_mounted(bundle))
		return;
	code = unmount_once(bundle, begin);
	/* One that was killed, or did not even begin, had no word about what is mounted. */
	if (code > 1)
		code = unmount_once(bundle, begin);
	if (code < 0)
		log_warning(about, "delete: the unmounting in %s goes on without us", bundle);
	else if (code > 0)
		log_warning(about, "delete: something in %s is still mounted", bundle);
}

struct others {
	const char *namespace;
	uint64_t begin;
};

/* Of a container of this pod that has no `delete` of its own; its bundle is containerd's to remove.
 */
static void end_other(char *record, const char *id, void *arg)
{
	const struct others *o = arg;
	const struct log_subject about = { .namespace = o->namespace, .id = id };

	engine_delete(record, about, o->begin);
	engine_record_sweep(record, id);
}

/* The path of the socket that the file `address` names; false without. */
static bool find_socket(const char *bundle, char ret[PATH_MAX])
{
	struct buf CLEANUP_BUF text = BUF_INIT(512);
	const char *name;
	struct err err;

	if (!*bundle || !str_fmt(ret, PATH_MAX, "%s/address", bundle) ||
	    file_read(AT_FDCWD, ret, &text, &err) < 0)
		return false;
	name = str_after(buf_str(&text), "unix://");
	return str_copy(ret, PATH_MAX, name && *name == '/' ? name : "");
}

/* False in doubt. */
static bool shim_is_gone(const char *bundle)
{
	char path[PATH_MAX];

	return find_socket(bundle, path) && *path &&
	       socket_ask(path, KILLED_BOUND_MS) == SOCKET_DEAD;
}

/*
 * The socket of a killed shim would otherwise stay until the same pod starts again. After a failed
 * Create containerd may have removed the bundle, and the address in it, before we get there. Then
 * the socket is taken to be the one of this container alone, in the usual directory: only `start`
 * is told of another one (socket_dir of containerd 2.3).
 */
static void remove_socket(const struct args *a, const char *bundle)
{
	char path[PATH_MAX], own[SOCKET_PATH_MAX + 1];
	struct err err;

	if (find_socket(bundle, path)) {
		if (*path)
			socket_remove_stale(path);
	} else if (socket_path("", a->address, a->namespace, a->id, own, &err) == 0) {
		socket_remove_stale(own);
	}
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

int action_delete(struct args *a, struct err *err)
{
	uint64_t begin = now_ns();
	char bundle[PATH_MAX], names[PATH_MAX];
	struct log_subject about;
	struct others others;
	pid_t pid;

	bundle_of(a, bundle);
	complete_by_bundle(a, bundle, names);
	if (args_check(a, err) < 0)
		return -1;
	about = (struct log_subject){ .namespace = a->namespace, .id = a->id };
	others = (struct others){ a->namespace, begin };
	pid = engine_record_init_pid(bundle);
	if (*bundle) {
		engine_delete(bundle, about, begin);
		engine_record_sweep(bundle, a->id);
		unmount_rootfs(bundle, about, begin);
		private_emulators_release(bundle);
		pod_files_remove(bundle);
		pod_cgroup_remove(bundle);
		if (shim_is_gone(bundle))
			pod_record_each(bundle, end_other, &others);
	}
	remove_socket(a, bundle);
	return print_result(pid, err);
}
