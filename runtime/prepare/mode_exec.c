/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
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

/* The streams follow the request, so the process has to, whatever it says of a terminal. */
static void judge_terminal(struct prepare *p, const struct spec_process *process)
{
	bool wanted = p->request.flags & REQUEST_TERMINAL;

	if (process->terminal != wanted)
		p->report.flags |= REPORT_EDIT;
}

/* A process without a PATH of its own gets that of the engine's defaults, like the engine does. */
int mode_exec(struct prepare *p, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	struct spec_process process;
	struct facts facts;
	struct plan plan;
	bool bad;

	if (load_request(p, err) < 0 || kept_read(p, &bad, err) < 0)
		return -1;
	if (bad)
		return 0;
	if (load_host(p, err) < 0 || open_view(p, err) < 0 || confine_calls(-1, -1, err) < 0 ||
	    load_spec(p, err) < 0)
		return -1;
	load_settings(p, &bad);
	if (bad)
		return 0;
	p->private_wanted = true;
	if (read_process(p, &document, &process, err) < 0 || load_binfmt(p, err) < 0 ||
	    confine_files(&p->view, FD_BUNDLE, err) < 0 ||
	    check_process(p, &process, FOR_EXEC, &facts, &plan, err) < 0)
		return -1;
	judge_terminal(p, &process);
	return 0;
}
