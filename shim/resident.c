/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/resident.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "shim/host/sched.h"
#include "shim/loop/child.h"
#include "shim/task/service.h"
#include "shim/title.h"

/* Where what is kept of `start` lies; CLI_FD is the last one. */
enum { SOCKET_FD = 3, PREPARE_FD, CLI_FD };

/*
 * Hundreds of containers need more descriptors than the usual soft limit of 1,024. What we start
 * gets the old limit back: programs that use select() trust in it. @ret_old is what we were started
 * with.
 */
static void raise_descriptors(struct rlimit *ret_old)
{
	struct rlimit raised;

	if (getrlimit(RLIMIT_NOFILE, ret_old) < 0) {
		*ret_old = (struct rlimit){ 1024, 4096 };
		return;
	}
	raised = *ret_old;
	if (raised.rlim_cur < 65536)
		raised.rlim_cur = raised.rlim_max < 65536 ? raised.rlim_max : 65536;
	(void)setrlimit(RLIMIT_NOFILE, &raised);
}

/* Puts them from SOCKET_FD upwards, leaving gaps for those that are 0. */
static int keep(const int *fds, size_t n)
{
	int high[4];

	for (size_t i = 0; i < n; i++) {
		high[i] = fds[i] ? fcntl(fds[i], F_DUPFD_CLOEXEC, CLI_FD + 1) : 0;
		if (high[i] < 0)
			return -1;
	}
	(void)close_range(SOCKET_FD, CLI_FD, 0);
	for (size_t i = 0; i < n; i++)
		if (high[i] && dup3(high[i], SOCKET_FD + (int)i, O_CLOEXEC) < 0)
			return -1;
	return 0;
}

/*
 * Lets go of what belongs to `start` and to containerd: containerd waits until nobody holds the
 * pipes any more. Standard error is the log already (main.c), a FIFO in the bundle that containerd
 * reads. While containerd is away, or the FIFO is full, lines are dropped.
 */
static int settle(int listener, const struct paths *paths, struct err *err)
{
	const int kept[] = { listener, paths->prepare_fd, paths->cli_fd };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
	    keep(kept, ARRAY_SIZE(kept)) < 0)
		return err_sys(err, ERR_IO, "lay out descriptors");
	(void)close_range(CLI_FD + 1, ~0U, 0);
	if (setsid() < 0 || chdir("/") < 0)
		return err_sys(err, ERR_IO, "leave the session and the directory of `start`");
	return 0;
}

/* What ps shows. */
static void name_process(const struct args *a, const char *self)
{
	const char *const words[] = { self,  "-namespace", a->namespace, "-id",
				      a->id, "-address",   a->address,	 a->debug ? "-debug" : NULL,
				      NULL };

	title_set(a->argv, words);
}

static int serve(const struct resident *r, struct err *err)
{
	struct service service = { .socket_path = r->socket_path };
	struct loop loop;
	int rc;

	if (loop_init(&loop, err) < 0)
		return -1;
	service.context.ns = r->args->namespace;
	service.context.sandbox = r->args->id;
	service.context.grpc_address = r->args->address;
	service.context.home = r->home;
	service.context.pod_files = "";
	service.context.prepare_path = r->paths->prepare;
	service.context.cli_path = r->paths->cli;
	service.context.prepare_fd = r->paths->prepare_fd ? PREPARE_FD : 0;
	service.context.cli_fd = r->paths->cli_fd ? CLI_FD : 0;
	service.context.config_path = r->options->config_path ? r->options->config_path : "";
	service.context.config_body = r->options->config_body ? r->options->config_body : "";
	service.context.debug = r->args->debug;
	raise_descriptors(&service.context.nofile);
	rc = service_run(&service, &loop, r->events, SOCKET_FD, err);
	loop_deinit(&loop);
	return rc;
}

static struct log_subject subject(const struct args *a)
{
	return (struct log_subject){ .namespace = a->namespace, .sandbox = a->id, .id = a->id };
}

/* If one of these fails, that is no reason not to serve. */
static void set_scheduling(const struct args *a)
{
	const struct log_subject about = subject(a);
	struct err err;

	if (sched_oom_raise(&err) < 0)
		log_write(LOG_WARNING, about, LOG_FIELDS(.error = err.text), "OOM score");
	if (getenv("SCHED_CORE") && sched_core_create(&err) < 0)
		log_write(LOG_WARNING, about, LOG_FIELDS(.error = err.text), "core scheduling");
}

static int live(const struct resident *r, int listener)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct resident own = *r;
	struct err err = ERR_INIT;
	struct args kept;

	if (settle(listener, r->paths, &err) == 0 && args_copy(r->args, &arena, &kept, &err) == 0) {
		own.args = &kept;
		name_process(r->args, r->paths->self);
		set_scheduling(&kept);
		/* Memory that `start` used and freed would otherwise stay with us for good. */
		malloc_trim(0);
		if (serve(&own, &err) == 0)
			return 0;
	}
	log_write(LOG_ERROR, subject(own.args), LOG_FIELDS(.error = err.text), "the shim ends");
	return 1;
}

/* Signals are blocked before the fork: until its own first step none may end it either. */
int resident_start(const struct resident *r, int listener, pid_t *ret_pid, struct err *err)
{
	sigset_t old;
	pid_t pid;

	if (reaper_block(&old, err) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		exit(live(r, listener));
	if (pid < 0)
		err_sys(err, ERR_IO, "start the process that stays");
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return -1;
	*ret_pid = pid;
	return 0;
}
