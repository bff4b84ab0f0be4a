/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

#define MIB (1ull << 20)
#define MEMORY (768 * MIB)

/* More than the largest of images takes; there are archives that hold zeros without end. */
#define CPU_SECONDS 1800

#if defined(__SANITIZE_ADDRESS__)
#define UNCONFINED 1
#else
#define UNCONFINED 0
#endif

/* --- giving up ------------------------------------------------------------------------------- */

static const int calls[] = {
	SCMP_SYS(brk),	      SCMP_SYS(clock_gettime), SCMP_SYS(close),	       SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(fchmod),	       SCMP_SYS(fstat),	       SCMP_SYS(ftruncate),
	SCMP_SYS(futex),      SCMP_SYS(getdents64),    SCMP_SYS(getrandom),    SCMP_SYS(linkat),
	SCMP_SYS(lseek),      SCMP_SYS(madvise),       SCMP_SYS(mkdirat),      SCMP_SYS(mremap),
	SCMP_SYS(munmap),     SCMP_SYS(newfstatat),    SCMP_SYS(openat2),      SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),   SCMP_SYS(read),	       SCMP_SYS(rt_sigreturn), SCMP_SYS(symlinkat),
	SCMP_SYS(unlinkat),   SCMP_SYS(write),	       SCMP_SYS(fcntl),
};

static int add_rules(scmp_filter_ctx ctx)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls) && rc == 0; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	if (rc == 0) /* memory that is neither shared nor executable */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				      SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (rc == 0) /* the C library would like to read the time zone and the locale */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
	return rc;
}

static int filter_calls(struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = ctx ? add_rules(ctx) : -ENOMEM;

	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc == 0)
		return 0;
	errno = -rc;
	return err_sys(err, ERR_IO, "system call filter");
}

#define MAKING                                                           \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |    \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define ALL_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* Hard links from one directory to another are refused by Landlock before its second version. */
#define REFER (1ull << 13)

static int restrict_files(int dir, struct err *err)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = ALL_RIGHTS };
	int version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	CLEANUP_FD int ruleset = -1;

	if (version < 2)
		return 0;
	attr.handled_access_fs |= REFER;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return 0;
	if (dir >= 0) {
		struct landlock_path_beneath_attr rule = { .allowed_access = MAKING | REFER,
							   .parent_fd = dir };

		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) <
		    0)
			return 0; /* a file system that cannot be the object of a rule */
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(err, ERR_IO, "Landlock");
	return 0;
}

static int drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capset, &header, none) < 0)
		return err_sys(err, ERR_IO, "drop capabilities");
	return 0;
}

/* One that is lower already stays. */
static int limit(__rlimit_resource_t resource, rlim_t to)
{
	const struct rlimit new = { to, to };
	struct rlimit now;

	if (getrlimit(resource, &now) == 0 && now.rlim_max < to)
		return 0;
	return setrlimit(resource, &new);
}

static int give_up(int dir, struct err *err)
{
	if (UNCONFINED)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || limit(RLIMIT_AS, MEMORY) < 0 ||
	    limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_CPU, CPU_SECONDS) < 0)
		return err_sys(err, ERR_IO, "limits");
	if (drop_capabilities(err) < 0 || restrict_files(dir, err) < 0)
		return -1;
	return filter_calls(err);
}

/* --- running --------------------------------------------------------------------------------- */

/* What comes on the second pipe when all was done. */
struct outcome {
	int rc;
	struct err err;
};

static void run_there(const struct confined *what, pid_t parent, int out, int outcome)
{
	struct outcome o = { .rc = 0, .err = ERR_INIT };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	if (give_up(what->dir, &o.err) < 0)
		o.rc = err_in(&o.err, "confine");
	else
		o.rc = what->run(what->ctx, out, &o.err);
	(void)!fd_write_all(outcome, &o, sizeof(o));
	_exit(0);
}

static int stopped(int status, struct err *err)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (signal == SIGXCPU || signal == SIGKILL)
		return err_set(err, ERR_LIMIT,
			       "its reader was stopped: somebody killed it, or it took more than "
			       "%d minutes of a processor's time",
			       CPU_SECONDS / 60);
	return err_set(err, ERR_INVALID, "its reader crashed on it (%s %d)",
		       signal ? "signal" : "status", signal ? signal : WEXITSTATUS(status));
}

static int read_outcome(int in, int status, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(struct outcome));
	struct outcome o;

	if (fd_read_all(in, "the end of the confined reader", &text, err) < 0)
		return -1;
	if (text.len != sizeof(o))
		return stopped(status, err);
	memcpy(&o, text.data, sizeof(o));
	o.err.text[sizeof(o.err.text) - 1] = '\0';
	if (o.rc < 0)
		return err_set(err, o.err.code, "%s", o.err.text);
	return 0;
}

int confined_run(const struct confined *what, struct buf *ret, struct err *err)
{
	CLEANUP_FD int in = -1;
	CLEANUP_FD int out = -1;
	CLEANUP_FD int outcome_in = -1;
	CLEANUP_FD int outcome_out = -1;
	pid_t self = getpid(), pid;
	int status = 0, rc;

	if (fd_pipe(&in, &out, 0, err) < 0 || fd_pipe(&outcome_in, &outcome_out, 0, err) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return err_sys(err, ERR_IO, "fork");
	if (pid == 0)
		run_there(what, self, out, outcome_out);
	fd_close(&out);
	fd_close(&outcome_out);
	rc = fd_read_all(in, "what the confined reader says", ret, err);
	if (rc < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return rc < 0 ? -1 : read_outcome(outcome_in, status, err);
}
