/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/containerd_restart.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/str.h"
#include "runtime/cli/subprocess.h"
#include "runtime/containerd/containerd_store.h"

#define WORDS_MAX 8
#define ANSWER_MS 5000
#define PAUSE_NS 200000000
#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"

/* --- the command ----------------------------------------------------------------------------- */

static int describe_failure(const char *command, const struct subprocess_result *r,
			    const struct buf *said, struct err *err)
{
	char how[96];

	subprocess_describe(r, how, sizeof(how));
	return err_set(err, ERR_IO, "\"%s\" %s: %.*s", command, how,
		       (int)strcspn(buf_str(said), "\n"), buf_str(said));
}

static int run(const char *command, unsigned int patience_s, struct err *err)
{
	CLEANUP_BUF struct buf said = BUF_INIT(1u << 16);
	const char *search = getenv("PATH");
	char words[INSTALLATION_COMMAND_MAX], path[PATH_MAX], env_path[4096];
	char *argv[WORDS_MAX + 1] = { NULL }, *env[] = { env_path, NULL }, *save = NULL;
	struct subprocess what = {
		.path = path, .argv = argv, .envp = env, .keep_fd = -1, .out = &said
	};
	struct subprocess_result result;

	search = search ? search : SEARCH_PATH;
	(void)str_copy(words, sizeof(words), command);
	argv[0] = strtok_r(words, " ", &save);
	for (size_t i = 1; i < WORDS_MAX && argv[i - 1]; i++)
		argv[i] = strtok_r(NULL, " ", &save);
	if (!argv[0] ||
	    (!path_search(search, argv[0], path, sizeof(path)) &&
	     !path_search(SEARCH_PATH, argv[0], path, sizeof(path))) ||
	    !str_fmt(env_path, sizeof(env_path), "PATH=%s", search))
		return err_set(err, ERR_NOT_FOUND, "\"%s\" cannot be run: it is not in PATH",
			       command);
	what.timeout_ms = patience_s * 1000;
	what.with_stderr = true;
	if (subprocess_run(&what, &result, err) < 0)
		return -1;
	if (result.end == SUBPROCESS_EXITED && !result.value)
		return 0;
	return describe_failure(command, &result, &said, err);
}

/* --- waiting --------------------------------------------------------------------------------- */

/* gRPC starts threads, so nothing could be forked after it: each question is a child's. */
static bool answers(const char *socket)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
		const struct rpc_target target = { .socket = socket, .timeout_ms = ANSWER_MS };
		struct err ignored;
		struct rpc *rpc;

		_exit(rpc_open(&target, &rpc, &ignored) < 0 ||
		      containerd_cri_answers(rpc, &arena, &ignored) < 0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int wait_for_another(const struct installation *n, pid_t before, time_t until,
			    struct err *err)
{
	static const struct timespec pause = { .tv_nsec = PAUSE_NS };

	do {
		pid_t now = containerd_listener(n->socket);

		if (now && now != before && answers(n->socket))
			return 0;
		nanosleep(&pause, NULL);
	} while (seconds() < until);
	return err_set(err, ERR_TIMEOUT, "no containerd with a CRI that answers came back on %s",
		       n->socket);
}

int containerd_restart(const struct installation *n, pid_t before, unsigned int patience_s,
		       struct err *err)
{
	time_t until = seconds() + patience_s;

	if (!n->distribution->by_itself && run(n->restart, patience_s, err) < 0)
		return -1;
	return wait_for_another(n, before, until, err);
}
