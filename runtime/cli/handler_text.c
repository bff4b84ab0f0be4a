/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/handler_text.h"

#include <string.h>

#include "runtime/base/str.h"

/* Since 2.0; what it says is not looked at by any release so far (containerd#13927). */
#define PLATFORMS_TABLE "plugins.'io.containerd.cri.v1.images'.runtime_platforms"

int handler_text_runc(const char *table, bool systemd_cgroup, struct buf *out, struct err *err)
{
	if (buf_printf(out, err,
		       "# The default, which adding another runtime would drop.\n"
		       "[%s.runc]\n  runtime_type = \"" CONTAINERD_RUNC_TYPE "\"\n",
		       table) < 0)
		return -1;
	if (systemd_cgroup &&
	    buf_printf(out, err, "  [%s.runc.options]\n    SystemdCgroup = true\n", table) < 0)
		return -1;
	return buf_printf(out, err, "\n");
}

static int text_options(const char *table, const struct runtime_handler *r, struct buf *out,
			struct err *err)
{
	bool binary = handler_arch(r->name) && r->binary[0];
	bool path = handler_arch(r->name) && r->config_path[0];

	if (!r->systemd_cgroup && !binary && !path)
		return 0;
	if (buf_printf(out, err, "  [%s.%s.options]\n", table, r->name) < 0)
		return -1;
	if (binary && buf_printf(out, err, "    BinaryName = \"%s\"\n", r->binary) < 0)
		return -1;
	if (path && buf_printf(out, err, "    ConfigPath = \"%s\"\n", r->config_path) < 0)
		return -1;
	return r->systemd_cgroup ? buf_printf(out, err, "    SystemdCgroup = true\n") : 0;
}

/* What it is for: everything, or one platform. */
static int text_comment(const struct runtime_handler *r, struct buf *out, struct err *err)
{
	const struct arch *a = handler_arch(r->name);

	if (!a)
		return buf_printf(out, err,
				  "# crossarch: foreign architectures, or one line that "
				  "says why not.\n");
	return buf_printf(out, err, "# crossarch: of each image the platform linux/%s.\n", a->name);
}

int handler_text_own(const char *table, const struct runtime_handler *r, struct buf *out,
		     struct err *err)
{
	if (text_comment(r, out, err) < 0 ||
	    buf_printf(out, err, "[%s.%s]\n  runtime_type = \"%s\"\n", table, r->name, r->type) < 0)
		return -1;
	if (r->path[0] && buf_printf(out, err, "  runtime_path = \"%s\"\n", r->path) < 0)
		return -1;
	if (buf_printf(out, err, "  pod_annotations = [\"io.crossarch.*\"]\n") < 0 ||
	    text_options(table, r, out, err) < 0)
		return -1;
	if (!r->platform[0])
		return 0;
	return buf_printf(out, err, "[" PLATFORMS_TABLE ".%s]\n  platform = \"%s\"\n", r->name,
			  r->platform);
}

const char *handler_text_find(const char *file, const struct containerd_config *config,
			      const char *name, struct buf *ret)
{
	const struct runtime_handler *r = handler_named(config, name);
	struct err ignored;

	if (!r || handler_text_own(handlers_table(config->version), r, ret, &ignored) < 0)
		return NULL;
	return strstr(file, buf_str(ret));
}
