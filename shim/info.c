/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "proto/options.pb-c.h"
#include "revision.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"
#include "runtime/prepare/client.h"
#include "shim/actions.h"
#include "shim/bootstrap.h"
#include "shim/engine/argv.h"
#include "shim/paths.h"
#include "shim/task/options.h"

/*
 * -info: containerd 2.x asks what the runtime can do. Without the engine's features the kubelet
 * would refuse hostUsers: false and recursive read-only mounts on this handler.
 */
#define FEATURES_MAX (1u << 20)
#define FEATURES_TYPE "types.containerd.io/opencontainers/runtime-spec/1/features/Features"

/* The engine's JSON, or nothing when it is too old to know `features`. */
static int read_features(const char *engine_path, struct buf *json, struct err *err)
{
	char *const argv[] = { (char *)(uintptr_t)engine_path, (char *)(uintptr_t) "features",
			       NULL };
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	struct spawn_fd map;
	struct spawn what = { .path = engine_path, .argv = argv, .fds = &map, .n_fds = 1 };
	int status = 0, rc;
	pid_t pid;

	if (fd_pipe(&r, &w, 0, err) < 0)
		return -1;
	map = (struct spawn_fd){ w, STDOUT_FILENO };
	if (spawn(&what, &pid, err) < 0)
		return -1;
	fd_close(&w);
	rc = fd_read_all(r, "the engine's features", json, err);
	fd_close(&r);
	waitpid(pid, &status, 0);
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		buf_deinit(json);
	return rc;
}

static int print_info(const struct buf *json, struct err *err)
{
	Crossarch__RuntimeInfo info = CROSSARCH__RUNTIME_INFO__INIT;
	Crossarch__RuntimeVersion version = CROSSARCH__RUNTIME_VERSION__INIT;
	Crossarch__Any features = CROSSARCH__ANY__INIT;
	CLEANUP_FREE uint8_t *packed = NULL;
	size_t n;

	info.name = (char *)(uintptr_t) "io.containerd.crossarch.v2";
	version.version = (char *)(uintptr_t)CROSSARCH_VERSION;
	version.revision = (char *)(uintptr_t)CROSSARCH_REVISION;
	info.version = &version;
	features.type_url = (char *)(uintptr_t)FEATURES_TYPE;
	features.value.data = json->data;
	features.value.len = json->len;
	info.features = json->len ? &features : NULL;
	n = crossarch__runtime_info__get_packed_size(&info);
	packed = malloc(n + 1);
	if (!packed)
		return err_set(err, ERR_NOMEM, "no memory for the answer");
	crossarch__runtime_info__pack(&info, packed);
	if (fd_write_all(STDOUT_FILENO, packed, n) < 0)
		return err_sys(err, ERR_IO, "print the answer");
	return 0;
}

int action_info(const struct args *a, struct err *err)
{
	struct arena CLEANUP_ARENA arena = { .chunks = NULL };
	struct buf CLEANUP_BUF json = BUF_INIT(FEATURES_MAX);
	struct prepare_request request = { .id = a->id };
	struct bootstrap boot;
	struct paths paths;
	struct report r;

	/* By hand there is a terminal on standard input, and nobody types a protobuf. */
	if (paths_find(&arena, &paths, err) < 0 ||
	    bootstrap_read(isatty(STDIN_FILENO) ? open("/dev/null", O_RDONLY | O_CLOEXEC)
						: STDIN_FILENO,
			   a, &arena, &boot, err) < 0 ||
	    options_read(boot.options, &arena, &request, err) < 0 ||
	    prepare_settings(paths.prepare, &request, &r, err) < 0)
		return -1;
	if (read_features(r.decided.engine, &json, err) < 0)
		return -1;
	return print_info(&json, err);
}
