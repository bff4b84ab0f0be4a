/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/decided.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/owner.h"
#include "runtime/base/str.h"

/* The name of what @fd is, without links. */
static bool name_of(int fd, char ret[PATH_MAX])
{
	char link[32];
	ssize_t n;

	(void)str_fmt(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret, PATH_MAX - 1);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	return true;
}

/* Whether the file @fd lies in the bundle, or in the rootfs, which is below it. */
static bool is_containers(const struct task *t, int fd)
{
	CLEANUP_FD int dir = open(t->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char file[PATH_MAX], bundle[PATH_MAX];
	const char *below;

	if (dir < 0 || !name_of(dir, bundle) || !name_of(fd, file))
		return true;
	below = str_after(file, bundle);
	return below && (*below == '/' || !*below);
}

static int refuse_engine(const char *engine, const char *why, const char *fix, struct err *err)
{
	return err_set(err, ERR_PRECONDITION,
		       "crossarch[bad-config]: the OCI engine %s cannot be used; %s. Fix: %s.",
		       engine, why, fix);
}

/* It is run as root with every container. */
static int check_engine(const struct task *t, const char *engine, struct err *err)
{
	CLEANUP_FD int fd = fd_openat2(AT_FDCWD, engine, O_PATH, 0, 0);
	struct stat st;
	char fix[600];

	if (engine[0] != '/' || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "prepare named no engine: \"%s\"", engine);
	if (is_containers(t, fd))
		return refuse_engine(engine, "it belongs to the container that it is to make",
				     "name one of the node's own", err);
	(void)str_fmt(fix, sizeof(fix), "\"chown root %s; chmod go-w %s\"", engine, engine);
	if (!owner_is_trusted(&st))
		return refuse_engine(engine, "others than root can change it, and root runs it",
				     fix, err);
	return 0;
}

/* <root>/<namespace>, as the stock shim has it, so that an operator's `runc --root` finds both. */
static int engine_root(const struct decided *d, const char *ns, char *ret, size_t size,
		       struct err *err)
{
	const char *base = strrchr(d->engine, '/');
	bool fits;

	if (*d->root)
		fits = str_fmt(ret, size, "%s/%s", d->root, ns);
	else
		fits = str_fmt(ret, size, "/run/containerd%s/%s", base ? base : "", ns);
	return fits ? 0 : err_set(err, ERR_INVALID, "engine root is too long: %s", d->root);
}

int decided_take(struct task *t, const struct decided *d, int *termination, struct err *err)
{
	bool private = d->flags & DECIDED_PRIVATE, work_path = *d->criu_work_path;
	char root[512];

	if (check_engine(t, d->engine, err) < 0 ||
	    engine_root(d, t->context->ns, root, sizeof(root), err) < 0)
		return -1;
	t->engine_path = strdup(d->engine);
	t->engine_root = strdup(root);
	t->cgroup = strdup(d->cgroup);
	t->private_pod = private ? strdup(d->pod) : NULL;
	t->criu_work_path = work_path ? strdup(d->criu_work_path) : NULL;
	if (!t->engine_path || !t->engine_root || !t->cgroup || (private && !t->private_pod) ||
	    (work_path && !t->criu_work_path))
		return err_set(err, ERR_NOMEM, "no memory for the engine's paths");
	t->systemd_cgroup = d->flags & DECIDED_SYSTEMD_CGROUP;
	t->no_pivot = d->flags & DECIDED_NO_PIVOT;
	t->no_new_keyring = d->flags & DECIDED_NO_NEW_KEYRING;
	t->private_pid = d->flags & DECIDED_PRIVATE_PID;
	t->poststop = d->flags & DECIDED_POSTSTOP;
	t->unmounter.mounted = d->flags & DECIDED_MOUNTED;
	t->termination = fd_steal(termination);
	return 0;
}
