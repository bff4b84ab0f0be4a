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
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/distribution.h"
#include "runtime/cli/doctor.h"
#include "runtime/cli/doctor_html.h"
#include "runtime/cli/doctor_waits.h"
#include "runtime/cli/findings.h"
#include "runtime/cli/output.h"
#include "runtime/cli/page_refusals.h"
#include "runtime/cli/trial_run.h"
#include "runtime/cli/whole_file.h"
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

struct options {
	const char *socket, *distribution, *html;
	bool json, quiet;
};

/* One call of the command: what is looked at, and what a page would show beside it. */
struct examination {
	struct findings findings;
	struct node node;
	struct node_refusals refusals;
	struct node_counters counters;
};

#define CLEANUP_EXAMINATION CLEANUP(examination_free)
static void examination_free(struct examination **x)
{
	if (*x) {
		node_refusals_deinit(&(*x)->refusals);
		node_deinit(&(*x)->node);
	}
	free(*x);
}

static struct examination *examination_new(void)
{
	struct examination *x = calloc(1, sizeof(*x));

	if (x) {
		x->node = (struct node)NODE_INIT;
		x->refusals = (struct node_refusals)NODE_REFUSALS_INIT;
	}
	return x;
}

/* What forks or starts programs comes before the first call to containerd. */
static void examine(struct examination *x, const struct options *o, const struct installation *n,
		    const struct err *err)
{
	examine_node(&x->findings);
	doctor_emulators(&x->findings, &x->node);
	doctor_engines(&x->findings, n);
	if (o->html)
		node_refusals_prepare(&x->refusals, n->distribution ? n->socket : NULL);
	doctor_containerd(&x->findings, n, err);
	if (!o->html)
		return;
	node_refusals_read(&x->refusals, PAGE_REFUSALS_MAX);
	node_counters_read(&x->counters);
}

static int write_page(const struct examination *x, const struct whole_file *file, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(16u << 20);
	struct utsname name;
	struct doctor_page page = {
		.name = uname(&name) < 0 ? "this node" : name.nodename,
		.when = time(NULL),
		.findings = &x->findings,
		.node = &x->node,
		.refusals = &x->refusals,
		.counters = &x->counters,
	};

	return doctor_html(&page, &text, err) < 0 ? -1 : whole_file_write(file, &text, err);
}

static int show(const struct cli_command *self, const struct options *o,
		const struct examination *x, const struct whole_file *file)
{
	struct err err = ERR_INIT;
	char summary[64];

	if (o->html && write_page(x, file, &err) < 0)
		return cli_fail(self, "%s: %s", o->html, err.text);
	if (o->html && file->dirfd >= 0) {
		findings_summary(&x->findings, summary, sizeof(summary));
		printf("%s: %s\n", o->html, summary);
	} else if (o->json) {
		findings_print_json(&x->findings);
	} else if (!o->html) {
		findings_print(&x->findings);
	}
	return findings_count(&x->findings, GRADE_BAD) ? CLI_FAILED : CLI_DONE;
}

static int look(const struct cli_command *self, const struct options *o)
{
	CLEANUP_EXAMINATION struct examination *x = examination_new();
	CLEANUP_WHOLE_FILE struct whole_file file = WHOLE_FILE_INIT;
	CLEANUP_INSTALLATION struct installation n = { .distribution = NULL };
	struct err err = ERR_INIT;

	if (!x)
		return cli_fail(self, "no memory");
	if (o->html && whole_file_open(o->html, &file, &err) < 0)
		return cli_fail(self, "%s", err.text);
	if (installation_find(o->distribution, o->socket, &n, &err) < 0 && err.code == ERR_INVALID)
		return cli_usage(self, "%s", err.text);
	examine(x, o, &n, &err);
	return show(self, o, x, &file);
}

static int run_doctor(const struct cli_command *self, int argc, char **argv)
{
	struct options o = { .html = NULL };
	const struct cli_option options[] = {
		INSTALLATION_OPTIONS(o.socket, o.distribution),
		{ "html", 0, CLI_STRING, &o.html, "FILE",
		  "write a page for a browser, to standard output if FILE is -" },
		{ "json", 0, CLI_FLAG, &o.json, NULL, "print JSON" },
		{ "quiet", 'q', CLI_FLAG, &o.quiet, NULL, "print nothing, only exit" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (o.html && o.json)
		return cli_usage(self, "--html or --json, not both");
	if (o.html && o.quiet && str_eq(o.html, "-"))
		return cli_usage(self, "--html - prints a page, and --quiet nothing");
	if (o.quiet)
		be_quiet();
	return look(self, &o);
}

const struct cli_command cmd_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "look the whole node over, and say how to fix what is wrong",
	.text = "Every emulator is really run, with a built-in program of its architecture. Exit "
		"status 1 when\n"
		"there is a problem; warnings do not count.\n"
		"\n"
		"The page of --html is one file that needs nothing else: state and fixes, "
		"emulators, "
		"the last\n"
		"containers that crossarch has something to say of (see \"why\") with their fixes, "
		"and what was\n"
		"counted since the node was started (see \"metrics\"). It is replaced at once or "
		"not at all.\n"
		"\n"
		"Examples:\n"
		"  crossarch doctor\n"
		"  crossarch doctor --html /var/www/html/node.html\n"
		"  crossarch doctor --json | jq '.findings[] | select(.status != \"ok\")'\n",
	.run = run_doctor,
};
