/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/oci/patch.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/prepare.h"

/* The running container's own root: with its mounts, so the view needs none. */
static int open_view(struct prepare *p, struct err *err)
{
	char pid[24], path[48];
	int root;

	(void)str_fmt(pid, sizeof(pid), "%llu", (unsigned long long)p->request.init_pid);
	(void)str_fmt(path, sizeof(path), "/proc/%s/root", pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, ERR_NOT_FOUND, "open the container's root");
	view_init(&p->view, root);
	use_own_binfmt(p, pid);
	return 0;
}

static int read_process(struct prepare *p, json **ret_document, struct spec_process *ret,
			struct err *err)
{
	if (json_parse(p->request.process, (size_t)p->request.process_len, "process", ret_document,
		       err) < 0)
		return -1;
	return spec_process_read(*ret_document, &p->arena, ret, err);
}

/* The emulator's settings, which an exec has from nowhere else. */
static int patch_process(struct prepare *p, json *process, const struct plan *plan, struct err *err)
{
	struct patch edits = {
		.qemu_cpu = plan->cpu[0] ? plan->cpu : NULL,
		.variables = p->settings.variables,
		.n_variables = p->settings.n_variables,
	};
	char name[512];

	if (plan->verdict != VERDICT_EMULATE || (!edits.qemu_cpu && !edits.n_variables) ||
	    !*p->request.exec)
		return 0;
	if (!str_fmt(name, sizeof(name), "%s.process.json.crossarch", p->request.exec) ||
	    patch_process_apply(process, &edits, err) < 0)
		return err_in(err, "change the process");
	return write_out(p, process, name, err);
}

/* A process without a PATH of its own gets that of the engine's defaults, like the engine does. */
int mode_exec(struct prepare *p, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	struct spec_process process;
	struct facts facts;
	struct plan plan;
	bool bad;

	if (load_request(p, err) < 0 || load_host(p, err) < 0 || open_view(p, err) < 0)
		return -1;
	p->out = fd_openat2(FD_BUNDLE, ".", O_TMPFILE | O_WRONLY, 0600, 0);
	if (confine_calls(p->out, -1, err) < 0 || load_spec(p, err) < 0)
		return -1;
	if (load_settings(p, &bad, err) < 0)
		return -1;
	if (bad)
		return 0;
	p->private_wanted = true;
	if (read_process(p, &document, &process, err) < 0 || load_binfmt(p, err) < 0 ||
	    confine_files(&p->view, FD_BUNDLE, err) < 0 ||
	    check_process(p, &process, FOR_EXEC, &facts, &plan, err) < 0)
		return -1;
	return patch_process(p, document, &plan, err);
}
