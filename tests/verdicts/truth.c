/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "runtime/base/fd.h"
#include "tests/verdicts/verdicts.h"

#define SECONDS_MAX 10

static const char *variable(const struct trial *t, const char *name)
{
	size_t n = strlen(name);
	const char *value = NULL;

	for (const char *const *e = t->env; *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			value = *e + n + 1;
	return value;
}

/* --- without an engine --------------------------------------------------------------------- */

/* As the engines do it: a regular file with an x bit. */
static bool is_runnable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static bool search(const struct trial *t, char ret[PATH_MAX])
{
	const char *path = variable(t, "PATH");

	if (!path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (;; path++) {
		size_t n = strcspn(path, ":");

		if (str_fmt(ret, PATH_MAX, "%.*s/%s", n ? (int)n : 1, n ? path : ".", t->args[0]) &&
		    is_runnable(ret))
			return true;
		path += n;
		if (!*path)
			return false;
	}
}

static void limit(int resource, rlim_t value)
{
	struct rlimit r = { value, value };

	(void)setrlimit((__rlimit_resource_t)resource, &r);
}

/* In the child: becomes the program, or tells errno. */
static void become(const struct trial *t, int tell)
{
	static char path[PATH_MAX];
	int error = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit(RLIMIT_CORE, 0);
	alarm(SECONDS_MAX);
	if (fchdir(t->tree.root) < 0 || chroot(".") < 0 || chdir(t->cwd) < 0)
		error = errno;
	else if (strchr(t->args[0], '/'))
		error = str_copy(path, sizeof(path), t->args[0]) ? 0 : ENAMETOOLONG;
	else
		error = search(t, path) ? 0 : ENOENT;
	if (!error) {
		(void)execve(path, (char **)(uintptr_t)t->args, (char **)(uintptr_t)t->env);
		error = errno;
	}
	(void)!write(tell, &error, sizeof(error));
	_exit(127);
}

static void read_words(int fd, struct truth *ret)
{
	ssize_t n = pread(fd, ret->words, sizeof(ret->words) - 1, 0);

	ret->words[n > 0 ? n : 0] = '\0';
	ret->words[strcspn(ret->words, "\n")] = '\0';
}

static void note_end(int status, struct truth *ret)
{
	ret->signalled = WIFSIGNALED(status);
	ret->status = (unsigned int)(ret->signalled ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void run_plainly(struct trial *t, struct truth *ret)
{
	CLEANUP_FD int words = memfd_create("words", MFD_CLOEXEC);
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	struct err err;
	int status;
	pid_t pid;

	ASSERT(words >= 0 && fd_pipe(&r, &w, 0, &err) == 0);
	pid = fork();
	ASSERT(pid >= 0);
	if (!pid) {
		(void)dup2(words, 1);
		(void)dup2(words, 2);
		become(t, w);
	}
	fd_close(&w);
	ret->started = read(r, &ret->error, sizeof(ret->error)) != sizeof(ret->error);
	ASSERT(waitpid(pid, &status, 0) == pid);
	note_end(status, ret);
	read_words(words, ret);
}

/* --- with one ------------------------------------------------------------------------------ */

static void start_engine(const struct trial *t, const char *engine, int words)
{
	char state[PATH_MAX], bundle[PATH_MAX], id[32];
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)str_fmt(state, sizeof(state), "%s/../engine", t->host_dir);
	(void)str_copy(bundle, sizeof(bundle), t->tree.path);
	(void)str_fmt(id, sizeof(id), "oracle-%d", (int)getpid());
	(void)dup2(null, 0);
	(void)dup2(words, 1);
	(void)dup2(words, 2);
	alarm(SECONDS_MAX);
	execl(engine, engine, "--root", state, "run", "--bundle", bundle, id, NULL);
	_exit(126);
}

/*
 * What an engine could not start it says, with a status of its own. Which errno it was is in its
 * words; all that matters here is that the program did not run.
 */
static void run_by_engine(struct trial *t, const char *engine, struct truth *ret)
{
	CLEANUP_FD int words = memfd_create("words", MFD_CLOEXEC);
	int status;
	pid_t pid;

	ASSERT(words >= 0);
	pid = fork();
	ASSERT(pid >= 0);
	if (!pid)
		start_engine(t, engine, words);
	ASSERT(waitpid(pid, &status, 0) == pid);
	note_end(status, ret);
	read_words(words, ret);
	ret->started = !ret->signalled && ret->status >= RAN_PROGRAM && ret->status <= RAN_EMULATED;
	if (ret->started)
		return;
	ret->error = strcasestr(ret->words, "no such file")	? ENOENT
		     : strcasestr(ret->words, "not found")	? ENOENT
		     : strcasestr(ret->words, "permission")	? EACCES
		     : strcasestr(ret->words, "not executable") ? EACCES
		     : strcasestr(ret->words, "exec format")	? ENOEXEC
								: EIO;
}

void truth_find(struct trial *t, const char *engine, struct truth *ret)
{
	/*
	 * A walk that the kernel has to begin again, because somebody mounts or renames meanwhile,
	 * goes on counting links (nd->total_link_count): of 21 to 40 links ELOOP may come by
	 * chance.
	 */
	for (unsigned int tries = 0; tries < 3; tries++) {
		memset(ret, 0, sizeof(*ret));
		if (t->engine)
			run_by_engine(t, engine, ret);
		else
			run_plainly(t, ret);
		if (ret->started || ret->error != ELOOP)
			return;
	}
}
