/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/str.h"
#include "runtime/cli/ctrd.h"
#include "runtime/cli/doctor.h"
#include "runtime/cli/run.h"
#include "runtime/prepare/configure.h"

#define VERSION_MS 3000

/* The first line of "ENGINE --version", "" when it does not say. */
static void version_of(const char *path, char *ret, size_t size)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	char name[] = "engine", option[] = "--version";
	char *const argv[] = { name, option, NULL };
	const struct run run = {
		.path = path, .argv = argv, .keep_fd = -1, .timeout_ms = VERSION_MS, .out = &out
	};
	struct run_result result;
	struct err ignored;

	ret[0] = '\0';
	if (run_program(&run, &result, &ignored) == 0 && result.end == RUN_EXITED && !result.value)
		(void)str_fmt(ret, size, "%.*s", (int)strcspn(buf_str(&out), "\n"), buf_str(&out));
}

static bool examine_engine(struct findings *f, const char *name, const char *search)
{
	char path[PATH_MAX], version[160];
	struct err ignored;

	if (configure_engine(name, search, path, sizeof(path), &ignored) < 0)
		return false;
	version_of(path, version, sizeof(version));
	if (version[0])
		found(f, GRADE_GOOD, name, "%s, %s", version, path);
	else
		found(f, GRADE_BAD, name, "%s does not run", path);
	if (!version[0])
		fix(f, "reinstall %s", name);
	return true;
}

void doctor_settings(struct findings *f, const char *path)
{
	struct prepare_request request = { .config_path = path ? path : "" };
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);
	const char *file = path ? path : SETTINGS_FILE;
	struct complaint bad = { "", "", "" };
	struct settings s;

	enum configured rc = configure_file(&request, &text, &bad);

	request.settings = buf_str(&text);
	if (rc == CONFIGURED && configure(&request, NULL, &s, &bad) == CONFIGURED) {
		found(f, GRADE_GOOD, "configuration", "%s%s", file,
		      access(file, F_OK) == 0 ? "" : " does not exist, all defaults");
		return;
	}
	found(f, GRADE_BAD, "configuration", "%s: %s", bad.what, bad.why);
	fix(f, "%s", bad.fix);
}

void doctor_engines(struct findings *f, const char *socket)
{
	CLEANUP_CTRD struct ctrd c = { .path = NULL };
	bool found_ctrd, runc, crun;
	struct err ignored;

	f->section = "engines";
	found_ctrd = ctrd_find(socket, &c, &ignored) == 0;
	runc = examine_engine(f, "runc", found_ctrd ? c.path : getenv("PATH"));
	crun = examine_engine(f, "crun", found_ctrd ? c.path : getenv("PATH"));
	if (!runc && !crun) {
		found(f, GRADE_BAD, "engine", "neither runc nor crun is installed");
		fix(f, "apt-get install runc");
	}
	doctor_settings(f, NULL);
}
