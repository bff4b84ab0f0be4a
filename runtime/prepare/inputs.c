/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"
#include "runtime/binfmt/emulator_levels.h"
#include "runtime/plan/diagnosis.h"
#include "runtime/prepare/configure.h"

int load_request(struct prepare *p, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(REQUEST_MAX);

	if (!p->has_request)
		return request_decode("", 0, &p->arena, &p->request, err);
	if (lseek(FD_REQUEST, 0, SEEK_SET) < 0 && errno != ESPIPE)
		return err_sys(err, ERR_IO, "rewind request");
	if (fd_read_all(FD_REQUEST, "request", &text, err) < 0)
		return -1;
	return request_decode(buf_str(&text), text.len, &p->arena, &p->request, err);
}

int load_spec(struct prepare *p, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);

	if (file_read_regular(FD_BUNDLE, "config.json", &text, err) < 0 ||
	    json_parse(text.data, text.len, "config.json", &p->document, err) < 0)
		return -1;
	return spec_read(p->document, &p->arena, &p->spec, err);
}

static void report_bad_config(struct prepare *p, const struct complaint *bad)
{
	struct report *r = &p->report;
	char line[DIAGNOSIS_MAX + 1];

	diagnosis_config(bad, line);
	r->verdict = VERDICT_REFUSE;
	(void)str_copy(r->code, sizeof(r->code), cause_row(CAUSE_CONFIG)->code);
	(void)str_copy(r->line, sizeof(r->line), line);
}

int load_settings_file(struct prepare *p, bool *ret_bad, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);
	struct complaint bad = { "", "", "" };

	*ret_bad = configure_file(&p->request, &text, &bad) != CONFIGURED;
	if (*ret_bad) {
		report_bad_config(p, &bad);
		return 0;
	}
	p->request.settings = arena_strdup(&p->arena, buf_str(&text));
	return p->request.settings ? 0 : err_set(err, ERR_NOMEM, "no memory for the settings");
}

void load_settings(struct prepare *p, bool *ret_bad)
{
	const struct spec *spec = p->document ? &p->spec : NULL;
	struct complaint bad = { "", "", "" };

	*ret_bad = configure(&p->request, spec, &p->settings, &bad) != CONFIGURED;
	if (*ret_bad) {
		report_bad_config(p, &bad);
		return;
	}
	log_set_level(p->settings.log_level);
	configure_decided(&p->settings, spec, &p->report.decided);
}

int load_engine(struct prepare *p, struct err *err)
{
	struct decided *d = &p->report.decided;
	bool was_shim;

	if (configure_engine(p->settings.engine, getenv("PATH"), d->engine, sizeof(d->engine),
			     &was_shim, err) < 0)
		return -1;
	if (was_shim && p->document)
		log_warning(request_subject(&p->request),
			    "the engine %.200s is this shim itself, so %.200s is used; take "
			    "BinaryName out of the handler's options (or \"engine\" out of its "
			    "settings)",
			    p->settings.engine, d->engine);
	return 0;
}

const struct arch *request_guest(const struct prepare_request *r)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	return r->guest_row && r->guest_row <= n ? &rows[r->guest_row - 1] : NULL;
}

int load_host(struct prepare *p, struct err *err)
{
	if (host_probe(&p->host, err) < 0)
		return -1;
	return binfmt_open(&p->binfmt_fd, &p->binfmt_mounted, &p->binfmt.state, err);
}

/* Without these answers there are the tables of plan. */
static void load_levels(struct prepare *p)
{
	CLEANUP_BUF struct buf text = BUF_INIT(LEVELS_MAX_BYTES);

	levels_read(LEVELS_FILE, &text);
	p->levels = arena_strdup(&p->arena, buf_str(&text));
}

int load_binfmt(struct prepare *p, struct err *err)
{
	struct err ignored;

	/* A table that cannot be read is no reason to stop anybody: nothing is known then. */
	if (p->binfmt_fd >= 0 &&
	    binfmt_registry_read(p->binfmt_fd, p->binfmt_mounted, &p->binfmt, &ignored) < 0)
		p->binfmt.state = BINFMT_UNKNOWN;
	if (private_offer(p, err) < 0)
		return -1;
	if (p->own_binfmt && !p->private_ours)
		return 0; /* its interpreters are files of the pod, not of the node */
	load_levels(p);
	return emulator_files_open(&p->binfmt, &p->emulators, err);
}

/* True when @pid is in another user namespace than we are. */
static bool in_other_user_namespace(const char *pid)
{
	struct stat ours, theirs;
	char path[64];

	return str_fmt(path, sizeof(path), "/proc/%s/ns/user", pid) &&
	       fstatat(AT_FDCWD, path, &theirs, 0) == 0 &&
	       fstatat(AT_FDCWD, "/proc/self/ns/user", &ours, 0) == 0 &&
	       ours.st_ino != theirs.st_ino;
}

/* A binfmt_misc other than that of device @node. */
static bool is_other_binfmt(const struct mountinfo *m, dev_t node)
{
	unsigned int dev_major, dev_minor;

	return str_eq(m->type, "binfmt_misc") &&
	       sscanf(m->device, "%u:%u", &dev_major, &dev_minor) == 2 &&
	       makedev(dev_major, dev_minor) != node;
}

static int open_own_binfmt(const char *pid, dev_t node)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	char path[PATH_MAX + 64], *rest, *line;
	struct mountinfo m;
	struct err ignored;

	(void)str_fmt(path, sizeof(path), "/proc/%s/mountinfo", pid);
	if (file_read_regular(AT_FDCWD, path, &text, &ignored) < 0)
		return -1;
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n")))
		if (mountinfo_parse(line, &m) && is_other_binfmt(&m, node) &&
		    str_fmt(path, sizeof(path), "/proc/%s/root%s", pid, m.point))
			return fd_openat2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
	return -1;
}

void use_own_binfmt(struct prepare *p, const char *pid)
{
	struct stat node = { .st_dev = 0 };
	int fd;

	if (!in_other_user_namespace(pid))
		return;
	if (p->binfmt_fd >= 0 && fstat(p->binfmt_fd, &node) < 0)
		return;
	fd = private_open(pid);
	p->private_ours = fd >= 0;
	if (fd < 0)
		fd = open_own_binfmt(pid, node.st_dev);
	if (fd < 0)
		return;
	fd_close(&p->binfmt_fd);
	p->binfmt_fd = fd;
	p->binfmt_mounted = true;
	p->own_binfmt = true;
}
