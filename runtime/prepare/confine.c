/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/base/mem.h"

#define MIB (1ull << 20)
#define NOBODY 65534u
#define READING (1u << CAP_DAC_READ_SEARCH | 1u << CAP_SYS_PTRACE)

/* The address sanitizer's runtime needs calls and files that are given up here. */
#if defined(__SANITIZE_ADDRESS__)
#define UNCONFINED 1
#else
#define UNCONFINED 0
#endif

/* Calls that are harmless with any argument. */
static const int plain_calls[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getdents64),
	SCMP_SYS(getppid),
	SCMP_SYS(getrandom),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(openat2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(pread64),
	SCMP_SYS(read),
	SCMP_SYS(readlinkat),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(capget),
	SCMP_SYS(capset), /* no more than there are by then */
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_restrict_self),
};

/* The first is ours, the others are what fdopendir() uses. */
static const unsigned int fcntl_commands[] = { F_DUPFD_CLOEXEC, F_GETFL, F_SETFD };

/* Descriptors up to this are those prepare was started with: they are neither closed nor replaced.
 */
#define LAST_GIVEN_FD 6

static int add_rules(scmp_filter_ctx ctx, int out, int sink)
{
	const int writable[] = { 2, 3, out, sink };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(plain_calls) && rc == 0; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, plain_calls[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(writable) && rc == 0; i++)
		if (writable[i] >= 0)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
					      SCMP_A0(SCMP_CMP_EQ, (unsigned int)writable[i]));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(close), 1,
				      SCMP_A0(SCMP_CMP_GT, LAST_GIVEN_FD));
	for (size_t i = 0; i < ARRAY_SIZE(fcntl_commands) && rc == 0; i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
				      SCMP_A1(SCMP_CMP_EQ, fcntl_commands[i]));
	if (rc == 0) /* memory that is neither shared nor executable */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				      SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
	if (rc == 0) /* the one record that has a descriptor with it */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1,
				      SCMP_A0(SCMP_CMP_EQ, 3));
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setfsuid), 1,
				      SCMP_A0(SCMP_CMP_EQ, NOBODY));
	if (rc == 0) /* the C library would like to read the time zone */
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
	if (rc == 0 && out >= 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(linkat), 1,
				      SCMP_A0(SCMP_CMP_EQ, (unsigned int)out));
	return rc;
}

static int filter_calls(int out, int sink, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc = ctx ? add_rules(ctx, out, sink) : -ENOMEM;

	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc == 0)
		return 0;
	errno = -rc;
	return err_sys(err, ERR_IO, "confine: system call filter");
}

/* Root stays root, but only as the owner of files and as one who may read others'. */
static int drop_capabilities(unsigned int keep, struct err *err)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capget, &header, data) < 0)
		return err_sys(err, ERR_IO, "confine: read capabilities");
	data[0].effective = data[0].permitted &= keep;
	data[1].effective = data[1].permitted = 0;
	data[0].inheritable = data[1].inheritable = 0;
	if (syscall(SYS_capset, &header, data) < 0)
		return err_sys(err, ERR_IO, "confine: drop capabilities");
	return 0;
}

/*
 * The user nobody owns no file, so we can write, truncate and create none, also where the kernel
 * has no Landlock. To read, the capability is enough; the change of user takes it away, so it is
 * raised again. In a user namespace where nobody has no id, nothing changes.
 */
static int become_nobody(struct err *err)
{
	(void)syscall(SYS_setfsuid, NOBODY);
	return drop_capabilities(READING, err);
}

static int limit_resources(struct err *err)
{
	static const struct {
		int resource;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_CORE, 0 },	  { RLIMIT_NPROC, 0 }, { RLIMIT_FSIZE, 16 * MIB },
		{ RLIMIT_AS, 512 * MIB }, { RLIMIT_CPU, 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit now, new = { limits[i].limit, limits[i].limit };

		if (getrlimit((__rlimit_resource_t)limits[i].resource, &now) == 0 &&
		    now.rlim_max < new.rlim_max)
			continue;
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &new) < 0)
			return err_sys(err, ERR_IO, "confine: resource limit %d",
				       limits[i].resource);
	}
	return 0;
}

int confine_calls(int out, int sink, struct err *err)
{
	if (UNCONFINED)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, ERR_IO, "confine: no_new_privs");
	/* CAP_SETUID is for become_nobody(), and good for nothing else under this filter. */
	if (limit_resources(err) < 0 || drop_capabilities(READING | 1u << CAP_SETUID, err) < 0)
		return -1;
	return filter_calls(out, sink, err);
}

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* Every right of Landlock's first version: what is handled and not granted below is refused. */
#define ALL_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static int allow_below(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int confine_files(const struct rootfs_view *v, int bundle, struct err *err)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = ALL_RIGHTS };
	CLEANUP_FD int ruleset = -1;

	if (UNCONFINED)
		return 0;
	if (become_nobody(err) < 0)
		return -1;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return 0;
	/* Some file systems cannot be the object of a rule: reading them matters more than this. */
	if (allow_below(ruleset, v->root, READS) < 0 ||
	    allow_below(ruleset, bundle, LANDLOCK_ACCESS_FS_MAKE_REG) < 0)
		return 0;
	for (size_t i = 0; i < v->n; i++) {
		const struct rootfs_view_mount *m = &v->mounts[i];

		/* A source that cannot be granted cannot be read later: it counts as unknown. */
		if (m->fd >= 0 && !m->file)
			(void)!allow_below(ruleset, m->fd, READS);
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(err, ERR_IO, "confine: restrict files");
	return 0;
}
