/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/plan/diagnosis.h"
#include "runtime/prepare/configure.h"

/* A request holds a whole process or options table, so it may be as large as config.json. */
#define REQUEST_MAX JSON_MAX

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

	if (read_regular(FD_BUNDLE, "config.json", &text, err) < 0 ||
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

int load_settings(struct prepare *p, bool *ret_bad, struct err *err)
{
	const struct spec *spec = p->document ? &p->spec : NULL;
	struct complaint bad = { "", "", "" };
	const char *wanted;

	*ret_bad = configure(&p->request, spec, &p->settings, &bad) != CONFIGURED;
	if (*ret_bad) {
		report_bad_config(p, &bad);
		return 0;
	}
	log_set_level(p->settings.log_level);
	configure_report(&p->settings, spec, &p->report);
	wanted = p->settings.engine;
	return configure_engine(wanted, getenv("PATH"), p->report.engine, sizeof(p->report.engine),
				err);
}

int load_host(struct prepare *p, struct err *err)
{
	if (host_probe(&p->host, err) < 0)
		return -1;
	return binfmt_open(&p->binfmt_fd, &p->binfmt_mounted, &p->binfmt.state, err);
}

int load_binfmt(struct prepare *p, struct err *err)
{
	struct err ignored;

	/* A table that cannot be read is no reason to stop anybody: nothing is known then. */
	if (p->binfmt_fd >= 0 &&
	    binfmt_registry_read(p->binfmt_fd, p->binfmt_mounted, &p->binfmt, &ignored) < 0)
		p->binfmt.state = BINFMT_UNKNOWN;
	return emulator_files_open(&p->binfmt, &p->emulators, err);
}

bool sees_own_binfmt(const char *pid)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	struct stat ours, theirs;
	struct err ignored;
	char path[64];

	if (!str_fmt(path, sizeof(path), "/proc/%s/ns/user", pid) ||
	    fstatat(AT_FDCWD, path, &theirs, 0) < 0 ||
	    fstatat(AT_FDCWD, "/proc/self/ns/user", &ours, 0) < 0 || ours.st_ino == theirs.st_ino)
		return false;
	if (!str_fmt(path, sizeof(path), "/proc/%s/mountinfo", pid) ||
	    read_regular(AT_FDCWD, path, &text, &ignored) < 0)
		return false;
	return strstr(buf_str(&text), " - binfmt_misc ") != NULL;
}
