/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crossarch-prepare MODE: looks at one bundle on behalf of the shim and reports what will happen to
 * it. Descriptors are in prepare.h. Exit status: 0 a report was written, 1 not even that, 2 usage.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/prepare/declared_platform.h"
#include "runtime/prepare/prepare.h"

static const struct {
	const char *name;
	int (*run)(struct prepare *p, struct err *err);
} modes[] = {
	{ "settings", mode_settings }, { "create", mode_create },
	{ "exec", mode_exec },	       { "edit", mode_edit },
	{ "after", mode_after },       { "engine-error", mode_engine_error },
	{ "private", mode_private },
};

/*
 * Fills a gap among the given descriptors, so that nothing opened later gets a number that means
 * something. False when the descriptor was missing.
 */
static bool is_given(int fd)
{
	if (fcntl(fd, F_GETFD) >= 0)
		return true;
	(void)dup3(FD_REPORT, fd, O_CLOEXEC);
	return false;
}

static void prepare_deinit(struct prepare *p)
{
	emulator_files_deinit(&p->emulators);
	binfmt_registry_deinit(&p->binfmt);
	view_deinit(&p->view);
	fd_close(&p->binfmt_fd);
	fd_close(&p->out);
	fd_close(&p->sink);
	json_object_put(p->document);
	arena_deinit(&p->arena);
}

static int run_mode(size_t mode)
{
	CLEANUP(prepare_deinit)
	struct prepare p = {
		.started_ns = declared_now(),
		.binfmt_fd = -1,
		.out = -1,
		.sink = -1,
		.view = VIEW_INIT,
	};
	struct err err = ERR_INIT;

	/* Started through a descriptor, the kernel would call it by that. */
	(void)prctl(PR_SET_NAME, "crossarch-prepare", 0, 0, 0);
	report_init(&p.report);
	settings_init(&p.settings);
	(void)is_given(FD_BUNDLE);
	p.has_request = is_given(FD_REQUEST);
	p.has_platform = is_given(FD_PLATFORM);
	if (modes[mode].run(&p, &err) < 0) {
		p.report.verdict = VERDICT_NONE;
		p.report.err = err;
	}
	/* Who is told of a refusal may unmount the root at once: CRI-O, which mounts it itself. */
	view_deinit(&p.view);
	if (report_write(FD_REPORT, &p.report, &err) < 0) {
		log_write(LOG_ERROR, request_subject(&p.request), LOG_FIELDS(.error = err.text),
			  "no report");
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(modes); i++)
		if (str_eq(argv[1], modes[i].name))
			return run_mode(i);
	fprintf(stderr, "usage: crossarch-prepare "
			"settings|create|exec|edit|after|engine-error|private\n"
			"Started by containerd-shim-crossarch-v2; see crossarch --help instead.\n");
	return 2;
}
