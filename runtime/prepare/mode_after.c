/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/prepare/after.h"
#include "runtime/prepare/confine.h"

int mode_after(struct prepare *p, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	struct spec_process process;
	bool bad;

	if (load_request(p, err) < 0 || kept_read(p, &bad, err) < 0 || load_host(p, err) < 0 ||
	    confine_calls(-1, -1, err) < 0 || load_spec(p, err) < 0)
		return -1;
	if (!bad)
		load_settings(p, &bad);
	p->report.verdict = VERDICT_NATIVE;
	p->report.line[0] = '\0';
	if (bad)
		return 0;
	p->private_wanted = true;
	if (load_binfmt(p, err) < 0 || open_bundle_view(p, err) < 0 ||
	    confine_files(&p->view, FD_BUNDLE, err) < 0)
		return -1;
	if (!p->request.process_len)
		return after_explain(p, &p->spec.process, err);
	if (json_parse(p->request.process, (size_t)p->request.process_len, "process", &document,
		       err) < 0 ||
	    spec_process_read(document, &p->arena, &process, err) < 0)
		return -1;
	return after_explain(p, &process, err);
}
