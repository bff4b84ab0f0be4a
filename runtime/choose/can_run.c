/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/can_run.h"

#include <string.h>

#include "runtime/base/fd.h"

/* A program as its header says; nothing else of it is known. */
static void imagine(const struct arch *wanted, const struct host *host, const char *name,
		    struct program_file *ret)
{
	struct image *image = &ret->image;

	*ret = (struct program_file){
		.path = name,
		.found = FOUND_FILE,
		.mode = 0755,
		.image = { .kind = IMAGE_ELF, .size = PROGRAM_HEAD, .head_len = ARCH_HEADER },
	};
	arch_header(wanted, image->head);
	(void)ident_read_by(host, image->head, PROGRAM_HEAD, &image->ident);
}

static int read_handlers(struct binfmt_registry *ret, struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct err ignored;
	bool mounted;

	if (binfmt_open(&fd, &mounted, &ret->state, err) < 0)
		return -1;
	if (fd >= 0 && binfmt_registry_read(fd, mounted, ret, &ignored) < 0)
		ret->state = BINFMT_UNKNOWN;
	return 0;
}

/* The pod may have handlers that the node does not have. */
static bool has_own_handlers(const struct can_run *c)
{
	return c->settings->private_emulators || c->spec->private_user || c->spec->user_path;
}

static void refuse(struct can_run *c, const struct facts *f, const struct plan *p)
{
	diagnosis_line(f, p, p->cause, c->line);
	c->code = cause_row(p->cause)->code;
}

int can_run(struct can_run *c, bool *ret, struct err *err)
{
	CLEANUP_REGISTRY struct binfmt_registry binfmt = { .state = BINFMT_UNKNOWN };
	const struct arch *wanted = platform_arch(&c->settings->wanted);
	const char *name = c->spec->process.args[0];
	struct facts f = {
		.purpose = FOR_CONTAINER,
		.binfmt = &binfmt,
		.settings = c->settings,
		.n_chain = 1,
	};
	struct host host;
	struct plan plan;

	*ret = true;
	if (!wanted || (has_own_handlers(c) && !c->settings->emulation_never))
		return 0;
	if (host_probe(&host, err) < 0 || read_handlers(&binfmt, err) < 0)
		return -1;
	f.host = &host;
	imagine(wanted, &host, name ? name : "the program", &f.chain[0]);
	if (!c->settings->emulation_never &&
	    binfmt_registry_match(&binfmt, f.chain[0].image.head, f.chain[0].path, false, NULL))
		return 0;
	plan_make(&f, &plan);
	*ret = plan.verdict != VERDICT_REFUSE;
	if (!*ret)
		refuse(c, &f, &plan);
	return 0;
}
