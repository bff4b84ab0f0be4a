/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/rule.h"
#include "runtime/plan/diagnosis.h"
#include "runtime/prepare/prepare.h"

/*
 * Gives the user namespace of a container that was created, and not started, a binfmt_misc of its
 * own with the handler it needs; further containers of it add theirs. The first mount in a user
 * namespace hides all handlers of the node from it for good, so those come along. The mount is made
 * inside and attached outside, below PRIVATE_DIR, where no process has to hold it.
 *
 * Needs Linux 6.7. Only here are privileges used while nothing of an image is read. From the
 * prepare that has read one come a row of our own table, and names for a message.
 */
#ifndef FSCONFIG_CMD_CREATE_EXCL
#define FSCONFIG_CMD_CREATE_EXCL 8 /* Linux 6.6: fail with EBUSY rather than share an instance */
#endif

/* Others have it for milliseconds. One that hangs must not hang every pod of the node. */
#define LOCK_BOUND_MS 5000

enum stage { STAGE_ENTER, STAGE_MOUNT, STAGE_REGISTER, STAGE_DONE };

/* Memory shared with the child. */
struct outcome {
	enum stage stage;
	int errnum;
	int mount; /* in the table of descriptors, which is shared, too */
};

struct work {
	const struct prepare_request *req;
	bool trial; /* the mount ends with us, and nobody is noted */
	char rule[REGISTER_MAX + 1];
	int user;     /* the container's user namespace */
	int pod;      /* directory of the instance below PRIVATE_DIR, -1 for a trial */
	int instance; /* the attached mount, -1: there is none yet */
	const struct binfmt_registry *node; /* its handlers come along */
	struct outcome *out;
};

/* --- inside --------------------------------------------------------------------------------- */

/* As root of that namespace, so that nothing it could not read is opened for it. */
static int enter(const struct work *w)
{
	if (setns(w->user, CLONE_NEWUSER) < 0)
		return -1;
	(void)!setgroups(0, NULL); /* may be forbidden there */
	return setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ? -1 : 0;
}

/* fsmount() wants privilege over the mount namespace it is called in. */
static int make_mount(void)
{
	CLEANUP_FD int fs = -1;

	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	fs = fsopen("binfmt_misc", FSOPEN_CLOEXEC);
	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE_EXCL, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int add(int instance, const char *rule)
{
	CLEANUP_FD int fd = openat(instance, "register", O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, rule, strlen(rule)) < 0 ? -1 : 0;
}

/* The oldest first, for the newest comes first when the kernel looks. */
static void bring_along(int instance, const struct binfmt_registry *node)
{
	uint64_t ns = 0, serial = 0;

	for (;;) {
		const struct binfmt_entry *next = NULL;
		char rule[REGISTER_MAX + 1];
		struct err ignored;

		for (size_t i = 0; i < node->n; i++) {
			const struct binfmt_entry *e = &node->entries[i];
			bool behind = e->registered_ns > ns ||
				      (e->registered_ns == ns && e->serial > serial);
			bool first = !next || e->registered_ns < next->registered_ns ||
				     (e->registered_ns == next->registered_ns &&
				      e->serial < next->serial);

			if (behind && first)
				next = e;
		}
		if (!next)
			return;
		ns = next->registered_ns;
		serial = next->serial;
		/* One the pod's root cannot read is lost to the pod. */
		if (next->enabled && register_again(next, rule, &ignored) == 0)
			(void)!add(instance, rule);
	}
}

static void inside(const struct work *w)
{
	struct outcome *out = w->out;
	int instance = w->instance;

	if (enter(w) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return;
	out->stage = STAGE_MOUNT;
	if (instance < 0) {
		instance = out->mount = make_mount();
		if (instance < 0)
			return;
		bring_along(instance, w->node);
	}
	out->stage = STAGE_REGISTER;
	if (add(instance, w->rule) < 0 && errno != EEXIST)
		return;
	out->stage = STAGE_DONE;
}

/* The child shares our descriptors and nothing else; we wait until it is gone. */
static int run_inside(const struct work *w, struct err *err)
{
	struct clone_args args = { .flags = CLONE_FILES | CLONE_VFORK, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		inside(w);
		w->out->errnum = errno;
		_exit(0);
	}
	if (pid < 0)
		return err_sys(err, ERR_IO, "private emulators: clone");
	while (waitpid(pid, NULL, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, ERR_IO, "private emulators: wait");
	return 0;
}

/* --- outside -------------------------------------------------------------------------------- */

static int mark(int pod, const char *name, const char *bundle, struct err *err)
{
	if (symlinkat(bundle, pod, name) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "note %.100s in " PRIVATE_DIR, name);
	return 0;
}

/* The sandbox is noted too: it ends last, and its end ends the instance. */
static int mark_users(const struct work *w, struct err *err)
{
	const char *name = strrchr(w->req->bundle, '/');
	char sandbox[PATH_MAX];

	if (!name || mark(w->pod, w->req->id, w->req->bundle, err) < 0)
		return name ? -1 : err_set(err, ERR_INVALID, "bundle is no path");
	if (!*w->req->pod ||
	    !str_fmt(sandbox, sizeof(sandbox), "%.*s/%s", (int)(name - w->req->bundle),
		     w->req->bundle, w->req->pod) ||
	    access(sandbox, F_OK) < 0)
		return 0;
	return mark(w->pod, w->req->pod, sandbox, err);
}

static int open_pod(int dir, ino_t user, int *ret, struct err *err)
{
	char name[24];

	(void)str_fmt(name, sizeof(name), "%lu", (unsigned long)user);
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "make " PRIVATE_DIR "/%s", name);
	*ret = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret < 0 ? err_sys(err, ERR_IO, "open " PRIVATE_DIR "/%s", name) : 0;
}

static int open_instance(int pod)
{
	CLEANUP_FD int fd = openat(pod, PRIVATE_MOUNT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	return fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != BINFMTFS_MAGIC ? -1 : fd_steal(&fd);
}

static int attach(const struct work *w, struct err *err)
{
	if (mkdirat(w->pod, PRIVATE_MOUNT, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "make directory for a private binfmt_misc");
	if (move_mount(w->out->mount, "", w->pod, PRIVATE_MOUNT, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, ERR_IO, "attach a private binfmt_misc");
	return 0;
}

/* --- the answer ----------------------------------------------------------------------------- */

static const char *interpreter(const char *rule, char *ret, size_t size)
{
	const char *end = strrchr(rule, ':'), *start = end;

	while (start && start > rule && start[-1] != ':')
		start--;
	(void)str_fmt(ret, size, "%.*s", start ? (int)(end - start) : 0, start ? start : "");
	return ret;
}

static void explain(const struct work *w, char *why, char *fix, size_t size)
{
	const struct outcome *o = w->out;
	char path[200];

	(void)str_copy(fix, size, "set io.crossarch.private-emulators to false");
	if (o->stage == STAGE_MOUNT && o->errnum == EBUSY) {
		(void)str_copy(why, size,
			       "somebody else mounted binfmt_misc in the pod's user "
			       "namespace");
		(void)str_copy(fix, size,
			       "do not mount binfmt_misc inside the pod, and start the "
			       "pod anew");
	} else if (o->stage == STAGE_MOUNT) {
		(void)str_fmt(why, size, "this kernel has no binfmt_misc for user namespaces (%s)",
			      strerror(o->errnum));
		(void)str_copy(fix, size,
			       "boot Linux 6.7 or newer, or set "
			       "io.crossarch.private-emulators to false");
	} else if (o->stage == STAGE_REGISTER) {
		interpreter(w->rule, path, sizeof(path));
		(void)str_fmt(why, size, "root of the pod's user namespace cannot use %s (%s)",
			      path, strerror(o->errnum));
		(void)str_fmt(fix, size,
			      "make it readable and executable for everybody (chmod "
			      "a+rx %s), and the directories above it",
			      path);
	} else {
		(void)str_fmt(why, size, "the pod's user namespace cannot be entered as root (%s)",
			      strerror(o->errnum));
	}
}

static void refuse(struct prepare *p, const struct work *w)
{
	const char *code = cause_row(CAUSE_PRIVATE_TAKEN)->code;
	char why[320], fix[320];

	explain(w, why, fix, sizeof(why));
	p->report.verdict = VERDICT_REFUSE;
	(void)str_copy(p->report.code, sizeof(p->report.code), code);
	(void)str_fmt(p->report.line, DIAGNOSIS_MAX,
		      "crossarch[%s]: %s is %s; private emulators "
		      "are asked for and %s. Fix: %s.",
		      code, w->req->program, w->req->guest, why, fix);
}

static int give(struct prepare *p, struct work *w, struct err *err)
{
	if (!w->trial && mark_users(w, err) < 0)
		return -1;
	w->instance = w->trial ? -1 : open_instance(w->pod);
	if (w->instance < 0 && p->binfmt_fd >= 0 &&
	    binfmt_registry_read(p->binfmt_fd, p->binfmt_mounted, &p->binfmt, err) < 0)
		log_write(LOG_WARNING, request_subject(w->req), LOG_FIELDS(.error = err->text),
			  "the node's handlers stay outside");
	if (p->binfmt.state != BINFMT_ON)
		p->binfmt.n = 0;
	if (run_inside(w, err) < 0)
		return -1;
	if (w->out->stage != STAGE_DONE)
		refuse(p, w);
	else if (!w->trial && w->instance < 0 && attach(w, err) < 0)
		return -1;
	return 0;
}

/* Not our own: that would be registering on the node. */
static int open_user(uint64_t pid, int *ret_fd, ino_t *ret_ino, struct err *err)
{
	char path[48];
	struct stat ours, theirs;
	int fd;

	(void)str_fmt(path, sizeof(path), "/proc/%llu/ns/user", (unsigned long long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret_fd = fd;
	if (fd < 0 || fstat(fd, &theirs) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return err_sys(err, ERR_NOT_FOUND, "the container's user namespace");
	if (ours.st_ino == theirs.st_ino)
		return err_set(err, ERR_PRECONDITION,
			       "the container has no user namespace of its "
			       "own");
	*ret_ino = theirs.st_ino;
	return 0;
}

static int open_dir(int *ret, struct err *err)
{
	if (dir_make(PRIVATE_DIR, 0700, err) < 0)
		return -1;
	*ret = open(PRIVATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret >= 0 && fd_lock(*ret, LOCK_BOUND_MS) == 0)
		return 0;
	if (*ret >= 0 && errno == EWOULDBLOCK)
		return err_set(err, ERR_TIMEOUT, "somebody holds the lock of " PRIVATE_DIR);
	return err_sys(err, ERR_IO, "lock " PRIVATE_DIR);
}

static int open_place(struct work *w, ino_t user, int *ret_dir, int *ret_pod, struct err *err)
{
	if (open_dir(ret_dir, err) < 0 || open_pod(*ret_dir, user, ret_pod, err) < 0)
		return -1;
	w->pod = *ret_pod;
	return 0;
}

int mode_private(struct prepare *p, struct err *err)
{
	CLEANUP_FD int dir = -1;
	CLEANUP_FD int user = -1;
	CLEANUP_FD int pod = -1;
	struct work w = { .req = &p->request, .node = &p->binfmt, .pod = -1 };
	const struct arch *guest;
	ino_t ino = 0;

	/* When the shim is gone, so must we be: `delete` may clean up at any time. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || load_request(p, err) < 0)
		return -1;
	p->report.verdict = VERDICT_NATIVE;
	guest = request_guest(&p->request);
	if (!guest || (*p->request.pod && !str_is_identifier(p->request.pod)))
		return err_set(err, ERR_INVALID, "private emulators: no such guest or pod");
	if (private_rule(guest, w.rule, err) < 0)
		return -1;
	w.trial = p->request.flags & REQUEST_TRIAL;
	w.out = mmap(NULL, sizeof(*w.out), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (w.out == MAP_FAILED)
		return err_sys(err, ERR_NOMEM, "private emulators");
	if (open_user(p->request.init_pid, &user, &ino, err) < 0 ||
	    (!w.trial && open_place(&w, ino, &dir, &pod, err) < 0) || load_host(p, err) < 0)
		return -1;
	w.user = user;
	return give(p, &w, err);
}
