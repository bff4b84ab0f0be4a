/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/host/probe.h"
#include "runtime/oci/patch.h"
#include "runtime/oci/pod_mounts.h"
#include "runtime/oci/seccomp.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/prepare.h"

/*
 * What an emulated program needs in config.json, or an exec's in its process: variables for qemu
 * and a translated seccomp profile; an exec's terminal; and the files of a pod without a pause
 * container. Written by a prepare of its own that
 * never sees the image, from config.json, the settings and one number, the row of the guest.
 * Whoever has got hold of the prepare that did look at the image can choose that number, and
 * nothing else of what is written.
 */
#define PATCHED "config.json.crossarch"

/*
 * The new file has no name until it is complete: an O_TMPFILE of the bundle. Where the file system
 * has none, a change is impossible and fails when it is wanted.
 */
static void open_out(struct prepare *p)
{
	p->out = fd_openat2(FD_BUNDLE, ".", O_TMPFILE | O_WRONLY, 0600, 0);
	p->sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	(void)unlinkat(FD_BUNDLE, PATCHED, 0);
}

static int write_out(struct prepare *p, json *document, const char *name, struct err *err)
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

/* Logs what was done to the profile: each line of @notes. */
static void log_notes(const struct prepare *p, const struct buf *notes)
{
	const char *rest = buf_str(notes), *line;
	size_t n;

	while (str_line(&rest, &line, &n))
		log_info(request_subject(&p->request), "seccomp profile for the emulator: %.*s",
			 (int)n, line);
}

static int edit_config(struct prepare *p, const struct patch *wish, struct err *err)
{
	CLEANUP_BUF struct buf notes = BUF_INIT(64u << 10);
	struct seccomp_fit seccomp = { .must_adapt = false };
	struct patch edits = *wish;

	if (edits.guest && !p->settings.seccomp_keep)
		seccomp_judge(p->spec.seccomp, p->host.arch, edits.guest, &seccomp);
	edits.adapt_seccomp = seccomp.must_adapt;
	edits.notes = &notes;
	if (*p->request.pod_files && pod_mounts_add(p->document, p->request.pod_files,
						    p->request.flags & REQUEST_HOST_IPC, err) < 0)
		return err_in(err, "change config.json");
	if (!*p->request.pod_files && !edits.n_variables && !edits.adapt_seccomp &&
	    (!edits.qemu_cpu || spec_env(&p->spec.process, "QEMU_CPU")))
		return 0;
	if (patch_apply(p->document, &edits, err) < 0)
		return err_in(err, "change config.json");
	if (edits.adapt_seccomp && p->sink >= 0 &&
	    seccomp_verify(json_member(json_member(p->document, "linux"), "seccomp"), p->sink,
			   err) < 0)
		return -1;
	log_notes(p, &notes);
	return write_out(p, p->document, PATCHED, err);
}

/*
 * The emulator's settings, which an exec has from nowhere else, and whether it gets a terminal: the
 * request says that too, and the streams follow the request.
 */
static int edit_process(struct prepare *p, const struct patch *edits, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);
	CLEANUP_JSON json *process = NULL;
	char from[512], name[512];

	if (!str_is_identifier(p->request.exec) ||
	    !str_fmt(from, sizeof(from), "%s.process.json", p->request.exec) ||
	    !str_fmt(name, sizeof(name), "%s.crossarch", from))
		return err_set(err, ERR_INVALID, "exec \"%.80s\" is no name", p->request.exec);
	if (file_read_regular(FD_BUNDLE, from, &text, err) < 0 ||
	    json_parse(text.data, text.len, "process", &process, err) < 0 ||
	    patch_process_apply(process, edits, err) < 0 ||
	    patch_terminal(process, p->request.flags & REQUEST_TERMINAL, err) < 0)
		return err_in(err, "change the process");
	return write_out(p, process, name, err);
}

static int edit(struct prepare *p, struct err *err)
{
	const struct arch *guest = request_guest(&p->request);
	const char *cpu = guest ? settings_cpu(&p->settings, guest) : "";
	const struct patch edits = {
		.qemu_cpu = *cpu ? cpu : NULL,
		.variables = p->settings.variables,
		.n_variables = p->request.guest_row ? p->settings.n_variables : 0,
		.host = p->host.arch,
		.guest = guest,
	};

	p->report.verdict = VERDICT_EMULATE;
	(void)str_copy(p->report.cpu, sizeof(p->report.cpu), cpu);
	if (guest)
		(void)str_copy(p->report.guest, sizeof(p->report.guest), guest->name);
	return *p->request.exec ? edit_process(p, &edits, err) : edit_config(p, &edits, err);
}

int mode_edit(struct prepare *p, struct err *err)
{
	bool bad;

	if (load_request(p, err) < 0 || kept_read(p, &bad, err) < 0)
		return -1;
	if (bad)
		return 0;
	if (host_probe(&p->host, err) < 0)
		return -1;
	open_out(p);
	if (confine_calls(p->out, p->sink, err) < 0 || load_spec(p, err) < 0)
		return -1;
	load_settings(p, &bad);
	return bad ? 0 : edit(p, err);
}
