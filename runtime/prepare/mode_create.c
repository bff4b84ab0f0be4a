/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/mount.h"
#include "runtime/prepare/prepare.h"

static int mount_rootfs(struct prepare *p, struct err *err)
{
	if (!p->request.n_mounts)
		return 0;
	if (mount_all(FD_BUNDLE, "rootfs", p->request.mounts, p->request.n_mounts, err) < 0)
		return err_in(err, "mount rootfs");
	p->report.decided.flags |= DECIDED_MOUNTED;
	return 0;
}

/* The pod's user namespace is that of its sandbox, named by a file below that process's /proc. */
static void join_user_namespace(struct prepare *p)
{
	const char *pid = p->spec.user_path ? str_after(p->spec.user_path, "/proc/") : NULL;
	size_t n = pid ? strspn(pid, "0123456789") : 0;
	char number[16];

	if (n && pid[n] == '/' && str_fmt(number, sizeof(number), "%.*s", (int)n, pid))
		use_own_binfmt(p, number);
}

int open_bundle_view(struct prepare *p, struct err *err)
{
	int root = fd_openat2(FD_BUNDLE, p->spec.root, O_PATH | O_DIRECTORY, 0, 0);

	if (root < 0)
		return err_sys(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
			       "open root file system %.200s", p->spec.root);
	view_init(&p->view, root);
	return view_add_mounts(&p->view, FD_BUNDLE, &p->spec, err);
}

static enum facts_purpose purpose_of(const struct spec *s)
{
	return spec_is_sandbox(s) ? FOR_SANDBOX : FOR_CONTAINER;
}

/* What the shim will act on, said while nothing but config.json and the settings is known. */
static int decide(struct prepare *p, struct err *err)
{
	CLEANUP_FD int termination = termination_open(&p->spec);
	int rc;

	private_decide(p);
	p->report.decided.flags |= termination >= 0 ? DECIDED_TERMINATION : 0;
	p->report.flags |= REPORT_DECIDED;
	rc = termination < 0 ? report_write(FD_REPORT, &p->report, err)
			     : report_send(FD_REPORT, &p->report, termination, err);
	p->report.flags &= ~(uint32_t)REPORT_DECIDED;
	return rc;
}

int mode_create(struct prepare *p, struct err *err)
{
	struct facts facts;
	struct plan plan;
	bool bad;

	if (load_request(p, err) < 0 || load_settings_file(p, &bad, err) < 0)
		return -1;
	if (bad)
		return 0;
	if (kept_write(p, err) < 0 || mount_rootfs(p, err) < 0 || load_host(p, err) < 0)
		return -1;
	if (confine_calls(-1, -1, err) < 0 || load_spec(p, err) < 0)
		return -1;
	load_settings(p, &bad);
	if (bad)
		return 0;
	if (load_engine(p, err) < 0 || decide(p, err) < 0)
		return -1;
	p->private_wanted = purpose_of(&p->spec) == FOR_CONTAINER;
	join_user_namespace(p);
	if (load_binfmt(p, err) < 0 || open_bundle_view(p, err) < 0 ||
	    confine_files(&p->view, FD_BUNDLE, err) < 0)
		return -1;
	if (!check_user(p))
		return 0;
	if (check_process(p, &p->spec.process, purpose_of(&p->spec), &facts, &plan, err) < 0)
		return -1;
	return check_declared(p, &facts, &plan, err);
}
