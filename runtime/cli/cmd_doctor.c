/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/distribution.h"
#include "runtime/cli/doctor.h"
#include "runtime/cli/doctor_waits.h"
#include "runtime/cli/findings.h"
#include "runtime/cli/output.h"
#include "runtime/cli/trial_run.h"
#include "runtime/host/host.h"

/* --- the node -------------------------------------------------------------------------------- */

static void examine_platform(struct findings *f, const struct host *h)
{
	struct utsname name;

	if (uname(&name) < 0)
		name.release[0] = '\0';
	found(f, GRADE_INFO, "platform", "linux/%s, kernel %s", h->arch->name, name.release);
	if (h->x86_level)
		found(f, GRADE_INFO, "processor", "x86-64-v%u", h->x86_level);
	found(f, GRADE_INFO, "page size", "%llu bytes", (unsigned long long)h->page_size);
}

/* The 32-bit sister of the node's architecture, NULL without one. */
static const struct arch *sister(const struct host *h)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	for (size_t i = 0; i < n; i++)
		if (rows[i].compat_of && rows[i].oci && str_eq(rows[i].compat_of, h->arch->name))
			return &rows[i];
	return NULL;
}

static void examine_32bit(struct findings *f, const struct host *h)
{
	const struct arch *a = sister(h);
	struct err ignored;
	char why[160];

	if (!a)
		return;
	if (h->compat32 == HOST_UNKNOWN)
		found(f, GRADE_INFO, "32-bit programs", "not known");
	else if (h->compat32 == HOST_NO)
		found(f, GRADE_INFO, "32-bit programs", "%s does not run here", a->name);
	else if (trial_run(a, why, sizeof(why), &ignored) < 0 || !why[0])
		found(f, GRADE_GOOD, "32-bit programs", "%s runs", a->name);
	else
		found(f, GRADE_WARN, "32-bit programs",
		      "the kernel has the system calls of %s, but %s", a->name, why);
}

/* --- kernel ---------------------------------------------------------------------------------- */

/* In a user namespace that ends with the child: is there a binfmt_misc for each of them? */
static int try_private_binfmt(void)
{
	int fs;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 2;
	fs = fsopen("binfmt_misc", FSOPEN_CLOEXEC);
	return fs >= 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0 ? 0 : 1;
}

static void examine_private_binfmt(struct findings *f)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(try_private_binfmt());
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 2)
		found(f, GRADE_INFO, "private binfmt_misc", "not known: no user namespaces here");
	else if (WEXITSTATUS(status))
		found(f, GRADE_INFO, "private binfmt_misc",
		      "no (needs Linux 6.7): pods cannot have emulators of their own");
	else
		found(f, GRADE_GOOD, "private binfmt_misc", "one for each user namespace");
}

static void examine_seccomp(struct findings *f)
{
	CLEANUP_BUF struct buf text = BUF_INIT(4096);
	struct err ignored;

	if (file_read(AT_FDCWD, "/proc/sys/kernel/seccomp/actions_avail", &text, &ignored) < 0) {
		found(f, GRADE_WARN, "seccomp", "the kernel has none: profiles have no effect");
		fix(f, "use a kernel with CONFIG_SECCOMP_FILTER");
	} else {
		found(f, GRADE_GOOD, "seccomp", "filters%s",
		      strstr(buf_str(&text), "user_notif") ? ", with notification" : "");
	}
}

/* A controller in the v2 hierarchy beside v1 ones is what crun refuses. */
static bool hybrid_has_controllers(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(4096);
	struct err ignored;

	return file_read(AT_FDCWD, "/sys/fs/cgroup/unified/cgroup.controllers", &text, &ignored) ==
		       0 &&
	       text.len > 1;
}

static void examine_cgroups(struct findings *f)
{
	struct statfs fs;

	if (statfs("/sys/fs/cgroup", &fs) < 0) {
		found(f, GRADE_BAD, "cgroups", "not mounted on /sys/fs/cgroup");
		fix(f, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	} else if (fs.f_type == CGROUP2_SUPER_MAGIC) {
		found(f, GRADE_GOOD, "cgroups", "version 2");
	} else if (hybrid_has_controllers()) {
		found(f, GRADE_WARN, "cgroups",
		      "hybrid, with controllers in version 2: crun "
		      "refuses to work");
		fix(f, "boot with systemd.unified_cgroup_hierarchy=1, or use runc");
	} else {
		found(f, GRADE_GOOD, "cgroups", "%s",
		      access("/sys/fs/cgroup/unified", F_OK) == 0 ? "hybrid (version 1)"
								  : "version 1");
	}
}

static void examine_node(struct findings *f)
{
	struct err err = ERR_INIT;
	struct host host;

	f->section = "node";
	if (host_probe(&host, &err) < 0) {
		found(f, GRADE_BAD, "platform", "%s", err.text);
		fix(f, "use a node of an architecture that crossarch knows");
		return;
	}
	examine_platform(f, &host);
	examine_32bit(f, &host);
	examine_private_binfmt(f);
	examine_seccomp(f);
	examine_cgroups(f);
	doctor_waits(f);
}

/* --- the command ----------------------------------------------------------------------------- */

static int run_doctor(const struct cli_command *self, int argc, char **argv)
{
	CLEANUP_FREE struct findings *f = calloc(1, sizeof(*f));
	const char *socket = NULL, *distribution = NULL;
	CLEANUP_INSTALLATION struct installation n = { .distribution = NULL };
	struct err err = ERR_INIT;
	bool as_json = false, quiet = false;
	const struct cli_option options[] = {
		INSTALLATION_OPTIONS(socket, distribution),
		{ "json", 0, CLI_FLAG, &as_json, NULL, "print JSON" },
		{ "quiet", 'q', CLI_FLAG, &quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;
	size_t bad;

	if (!cli_parse(self, options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (!f)
		return cli_fail(self, "no memory");
	if (quiet)
		be_quiet();
	if (installation_find(distribution, socket, &n, &err) < 0 && err.code == ERR_INVALID)
		return cli_usage(self, "%s", err.text);
	examine_node(f);
	doctor_emulators(f);
	doctor_engines(f, &n);
	doctor_containerd(f, &n, &err);
	bad = findings_count(f, GRADE_BAD);
	if (as_json)
		findings_print_json(f);
	else
		findings_print(f);
	return bad ? CLI_FAILED : CLI_DONE;
}

const struct cli_command cmd_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "look the whole node over, and say how to fix what is wrong",
	.text = "Every emulator is really run, with a built-in program of its architecture. Exit "
		"status 1 when\n"
		"there is a problem; warnings do not count.\n"
		"\n"
		"Examples:\n"
		"  crossarch doctor\n"
		"  crossarch doctor --json | jq '.findings[] | select(.status != \"ok\")'\n",
	.run = run_doctor,
};
