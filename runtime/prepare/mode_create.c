/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/oci/patch.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/mount.h"
#include "runtime/prepare/prepare.h"

#define PATCHED "config.json.crossarch"

static int mount_rootfs(struct prepare *p, struct err *err)
{
	if (!p->request.n_mounts)
		return 0;
	if (mount_all(FD_BUNDLE, "rootfs", p->request.mounts, p->request.n_mounts, err) < 0)
		return err_in(err, "mount rootfs");
	p->report.flags |= REPORT_MOUNTED;
	return 0;
}

/*
 * The file for a changed config.json has no name until it is complete: an O_TMPFILE of the bundle.
 * Where the file system has none, a change is impossible and fails when it is wanted.
 */
static void open_out(struct prepare *p)
{
	p->out = fd_openat2(FD_BUNDLE, ".", O_TMPFILE | O_WRONLY, 0600, 0);
	p->sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	(void)unlinkat(FD_BUNDLE, PATCHED, 0);
}

int write_out(struct prepare *p, json *document, const char *name, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(2 * JSON_MAX);

	if (p->out < 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "write %.200s: the bundle's file system has no O_TMPFILE", name);
	if (json_print(document, &text, err) < 0)
		return -1;
	if (fd_write_all(p->out, text.data, text.len) < 0 ||
	    linkat(p->out, "", FD_BUNDLE, name, AT_EMPTY_PATH) < 0)
		return err_sys(err, ERR_IO, "write %.200s", name);
	p->report.flags |= REPORT_PATCHED;
	return 0;
}

/* Lines of @notes: what was done to the profile, for whoever wonders afterwards. */
static void log_notes(const struct prepare *p, const struct buf *notes)
{
	for (const char *line = buf_str(notes); *line;) {
		size_t n = strcspn(line, "\n");

		log_info(p->request.id, "seccomp profile for the emulator: %.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static int write_patched(struct prepare *p, const struct plan *plan, struct err *err)
{
	CLEANUP_BUF struct buf notes = BUF_INIT(64u << 10);
	struct patch edits = {
		.qemu_cpu = plan->cpu[0] ? plan->cpu : NULL,
		.variables = p->settings.variables,
		.n_variables = p->settings.n_variables,
		.adapt_seccomp = plan->adapt_seccomp,
		.host = p->host.arch,
		.guest = plan->guest,
		.notes = &notes,
	};

	if (patch_apply(p->document, &edits, err) < 0)
		return err_in(err, "change config.json");
	if (plan->adapt_seccomp && p->sink >= 0 &&
	    seccomp_verify(json_member(json_member(p->document, "linux"), "seccomp"), p->sink,
			   err) < 0)
		return -1;
	log_notes(p, &notes);
	return write_out(p, p->document, PATCHED, err);
}

static int apply_plan(struct prepare *p, const struct plan *plan, struct err *err)
{
	bool cpu = plan->cpu[0] && !spec_env(&p->spec.process, "QEMU_CPU");

	if (plan->verdict != VERDICT_EMULATE ||
	    (!cpu && !p->settings.n_variables && !plan->adapt_seccomp))
		return 0;
	return write_patched(p, plan, err);
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

void find_termination(const struct spec *s, struct report *r)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (str_eq(s->mounts[i].destination, "/dev/termination-log") &&
		    !str_copy(r->termination, sizeof(r->termination), s->mounts[i].source))
			r->termination[0] = '\0';
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
	const char *type = spec_annotation(s, "io.kubernetes.cri.container-type");

	return type && str_eq(type, "sandbox") ? FOR_SANDBOX : FOR_CONTAINER;
}

int mode_create(struct prepare *p, struct err *err)
{
	struct facts facts;
	struct plan plan;
	bool bad;

	if (load_request(p, err) < 0 || mount_rootfs(p, err) < 0 || load_host(p, err) < 0)
		return -1;
	open_out(p);
	if (confine_calls(p->out, p->sink, err) < 0 || load_spec(p, err) < 0)
		return -1;
	p->report.flags |= p->spec.private_pid ? REPORT_PRIVATE_PID : 0;
	p->report.flags |= p->spec.poststop ? REPORT_POSTSTOP : 0;
	find_termination(&p->spec, &p->report);
	if (load_settings(p, &bad, err) < 0)
		return -1;
	if (bad)
		return 0;
	p->private_wanted = purpose_of(&p->spec) == FOR_CONTAINER;
	join_user_namespace(p);
	if (load_binfmt(p, err) < 0 || open_bundle_view(p, err) < 0 ||
	    confine_files(&p->view, FD_BUNDLE, err) < 0 ||
	    check_process(p, &p->spec.process, purpose_of(&p->spec), &facts, &plan, err) < 0 ||
	    apply_plan(p, &plan, err) < 0)
		return -1;
	return check_declared(p, &facts, &plan, err);
}
