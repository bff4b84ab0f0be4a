/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/actions.h"
#include "shim/host/sched.h"
#include "shim/paths.h"
#include "shim/task/options.h"
#include "shim/task/service.h"

#define OPTIONS_MAX (10u << 20)

/* The runtime options `start` received; without a descriptor there are none. */
static int read_options(struct arena *arena, struct prepare_request *ret, struct err *err)
{
	struct buf CLEANUP_BUF bytes = BUF_INIT(OPTIONS_MAX);
	Crossarch__Any *any;
	int rc;

	*ret = (struct prepare_request){ .config_path = "", .config_body = "" };
	if (fcntl(SERVE_OPTIONS_FD, F_GETFD) < 0)
		return 0;
	if (fd_read_all(SERVE_OPTIONS_FD, "runtime options", &bytes, err) < 0)
		return -1;
	close(SERVE_OPTIONS_FD);
	if (!bytes.len)
		return 0;
	any = crossarch__any__unpack(NULL, bytes.len, bytes.data);
	if (!any)
		return err_set(err, ERR_INVALID, "runtime options do not decode");
	rc = options_read(any, arena, ret, err);
	crossarch__any__free_unpacked(any, NULL);
	return rc;
}

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

static int serve(const struct args *a, const struct paths *paths, struct err *err)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	const char *events = getenv("TTRPC_ADDRESS");
	struct prepare_request options;
	struct service service = { .stopping = false };
	struct loop loop;
	int rc;

	if (read_options(&arena, &options, err) < 0 || loop_init(&loop, err) < 0)
		return -1;
	service.ns = a->namespace;
	service.grpc_address = a->address;
	service.socket_path = a->socket;
	service.prepare_path = paths->prepare;
	service.cli_path = paths->cli;
	service.config_path = options.config_path ? options.config_path : "";
	service.config_body = options.config_body ? options.config_body : "";
	service.debug = a->debug;
	raise_descriptors(&service.nofile);
	rc = service_run(&service, &loop, events ? events : "", SERVE_SOCKET_FD, err);
	loop_deinit(&loop);
	return rc;
}

int action_serve(const struct args *a, struct err *err)
{
	struct paths paths;
	int rc;

	if (fcntl(SERVE_SOCKET_FD, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, ERR_INVALID,
			       "no listening socket on descriptor %d: the resident process is "
			       "started by \"start\" only",
			       SERVE_SOCKET_FD);
	(void)fcntl(SERVE_OPTIONS_FD, F_SETFD, FD_CLOEXEC);
	/* The engine's and the logging drivers' output must not reach containerd's pipes. */
	(void)fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK | O_WRONLY);
	if (getenv("SCHED_CORE") && sched_core_create(err) < 0)
		log_warning(NULL, "core scheduling: %s", err->text);
	rc = paths_find(&paths, err);
	if (rc == 0)
		rc = serve(a, &paths, err);
	if (rc < 0)
		log_error(a->id, "%s", err->text);
	return rc;
}
