/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/containerd_process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/subprocess.h"
#include "runtime/containerd/connect.h"

#define CONNECT_MS 2000
#define PROGRAM_MS 10000
#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void containerd_deinit(struct containerd *c)
{
	free(c->path);
	c->path = NULL;
	if (c->exe_fd > 0)
		close(c->exe_fd);
	c->exe_fd = 0;
}

bool path_search(const char *path, const char *name, char *ret, size_t size)
{
	struct stat st;

	while (*path) {
		size_t n = strcspn(path, ":");

		if (*path == '/' && str_fmt(ret, size, "%.*s/%s", (int)n, path, name) &&
		    stat(ret, &st) == 0 && S_ISREG(st.st_mode) && access(ret, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

/* The file /proc/PID/@name. */
static bool read_proc(pid_t pid, const char *name, struct buf *b)
{
	char path[64];
	struct err ignored;

	(void)str_fmt(path, sizeof(path), "/proc/%d/%s", pid, name);
	return file_read(AT_FDCWD, path, b, &ignored) == 0;
}

/* "--config X", "--config=X" or "-c X" of a command line whose words end in NUL. */
static void find_config(const struct buf *cmdline, char *ret, size_t size)
{
	const char *p = buf_str(cmdline), *end = p + cmdline->len;

	for (; p < end; p += strlen(p) + 1) {
		const char *value = str_after(p, "--config=");

		if (!value && (str_eq(p, "--config") || str_eq(p, "-c")) && p + strlen(p) + 1 < end)
			value = p + strlen(p) + 1;
		if (value)
			(void)str_copy(ret, size, value);
	}
}

static char *find_path(const struct buf *env)
{
	const char *p = buf_str(env), *end = p + env->len;

	for (; p < end; p += strlen(p) + 1)
		if (str_after(p, "PATH="))
			return strdup(p + 5);
	return strdup(STANDARD_PATH);
}

pid_t containerd_listener(const char *socket)
{
	CLEANUP_FD int fd = -1;
	struct ucred peer;
	socklen_t n = sizeof(peer);
	struct err ignored;

	if (unix_connect(socket, CONNECT_MS, &fd, &ignored) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return 0;
	return peer.pid;
}

static bool open_program(pid_t pid, struct containerd *ret)
{
	char path[64];
	int fd;

	(void)str_fmt(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	ret->exe_fd = fd > 0 ? fd : 0;
	(void)str_fmt(ret->exe, sizeof(ret->exe), "/proc/self/fd/%d", fd);
	return fd > 0 && access(ret->exe, X_OK) == 0;
}

bool containerd_running(const char *socket, struct containerd *ret)
{
	CLEANUP_BUF struct buf cmdline = BUF_INIT(1u << 20);
	CLEANUP_BUF struct buf env = BUF_INIT(1u << 20);
	pid_t pid = containerd_listener(socket);

	*ret = (struct containerd){ .pid = 0 };
	if (pid <= 0 || !read_proc(pid, "cmdline", &cmdline) || !cmdline.len)
		return false;
	if (!open_program(pid, ret))
		return false;
	find_config(&cmdline, ret->config, sizeof(ret->config));
	(void)read_proc(pid, "environ", &env);
	ret->path = find_path(&env);
	ret->pid = pid;
	return ret->path;
}

int containerd_installed(const char *socket, const char *program, struct containerd *ret,
			 struct err *err)
{
	const char *path = getenv("PATH");

	*ret = (struct containerd){ .pid = 0 };
	if ((!program || access(program, X_OK) < 0 ||
	     !str_copy(ret->exe, sizeof(ret->exe), program)) &&
	    !path_search(path ? path : STANDARD_PATH, "containerd", ret->exe, sizeof(ret->exe)))
		return err_set(err, ERR_NOT_FOUND,
			       "no containerd: nobody answers on %s, and none is in PATH", socket);
	ret->path = strdup(STANDARD_PATH);
	return ret->path ? 0 : err_set(err, ERR_NOMEM, "no memory for a PATH");
}

/* Runs it with @args, NULL-terminated, argv[0] included. */
static int ask_containerd(const struct containerd *c, char *const *args, bool with_stderr,
			  struct buf *out, struct subprocess_result *ret, struct err *err)
{
	char path[] = "PATH=" STANDARD_PATH;
	char *env[] = { path, NULL };
	const struct subprocess run = {
		.path = c->exe,
		.argv = args,
		.envp = env,
		.keep_fd = c->exe_fd > 0 ? c->exe_fd : -1,
		.timeout_ms = PROGRAM_MS,
		.out = out,
		.with_stderr = with_stderr,
	};

	if (subprocess_run(&run, ret, err) < 0)
		return err_in(err, "%s", c->exe);
	return 0;
}

int containerd_program_version(const struct containerd *c, char *ret, size_t size, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	char name[] = "containerd", option[] = "--version", *word, *save = NULL;
	char *const args[] = { name, option, NULL };
	struct subprocess_result result;

	if (ask_containerd(c, args, false, &out, &result, err) < 0)
		return -1;
	word = out.len ? strtok_r((char *)out.data, " \n", &save) : NULL;
	for (int i = 0; word && i < 2; i++)
		word = strtok_r(NULL, " \n", &save);
	if (!word || !str_copy(ret, size, *word == 'v' ? word + 1 : word))
		return err_set(err, ERR_IO, "%s does not say its version", c->exe);
	return 0;
}

/* The last line it writes when it fails: its own words say best what is wrong. */
static int complain(const struct containerd *c, const char *config, char *const *args,
		    struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 20);
	struct subprocess_result result;
	char *line, *last = NULL, *save = NULL, how[96];

	if (ask_containerd(c, args, true, &out, &result, err) < 0)
		return -1;
	subprocess_describe(&result, how, sizeof(how));
	for (line = out.len ? strtok_r((char *)out.data, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		last = line;
	return err_set(err, ERR_PRECONDITION,
		       "\"containerd --config %.200s config dump\" %s: %.400s", config, how,
		       last ? last : "no message");
}

int containerd_dump_config(const struct containerd *c, const char *config, struct buf *out,
			   struct err *err)
{
	char name[] = "containerd", option[] = "--config", verb[] = "config", what[] = "dump";
	char *const args[] = { name, option, (char *)(uintptr_t)config, verb, what, NULL };
	struct subprocess_result result;

	if (ask_containerd(c, args, false, out, &result, err) < 0)
		return -1;
	if (result.end == SUBPROCESS_EXITED && !result.value)
		return 0;
	return complain(c, config, args, err);
}
