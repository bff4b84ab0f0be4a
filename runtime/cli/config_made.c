/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_made.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/containerd_config.h"
#include "runtime/cli/default_runtime.h"
#include "runtime/cli/handler_text.h"

static bool is_our_name(const char *name)
{
	return str_eq(name, HANDLER_NAME) || handler_arch(name);
}

/* True for the line of the default runtime if that is one of ours. */
static bool names_us_default(const char *line, size_t n)
{
	return memmem(line, n, "default_runtime_name", strlen("default_runtime_name")) &&
	       memmem(line, n, HANDLER_NAME, strlen(HANDLER_NAME));
}

/* The lines of @made but for tables of ours. */
static int add_others(const char *made, struct buf *out, struct err *err)
{
	char name[HANDLER_NAME_MAX];
	bool ours = false;
	const char *line;
	size_t n;

	while (str_line(&made, &line, &n)) {
		enum config_table table = config_table_of(line, n, name);

		if (table != CONFIG_NO_TABLE)
			ours = table == CONFIG_HANDLER && is_our_name(name);
		if (!ours && !names_us_default(line, n) &&
		    buf_printf(out, err, "%.*s\n", (int)n, line) < 0)
			return -1;
	}
	return 0;
}

static int add_ours(const char *text, const struct containerd_config *config, struct buf *out,
		    struct err *err)
{
	for (size_t i = 0; i < config->n; i++) {
		CLEANUP_BUF struct buf own = BUF_INIT(1u << 16);

		if (is_our_name(config->runtimes[i].name) &&
		    handler_text_find(text, config, config->runtimes[i].name, &own) &&
		    buf_printf(out, err, "%s", buf_str(&own)) < 0)
			return -1;
	}
	return 0;
}

int config_made(const struct config_place *p, const char *made, const char *text, struct buf *out,
		struct err *err)
{
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	CLEANUP_BUF struct buf plain = BUF_INIT(2u << 20);

	if (!config)
		return err_set(err, ERR_NOMEM, "no memory for a configuration");
	containerd_config_read(text, config);
	config->version = p->version;
	if (!*made && buf_printf(&plain, err, "version = %u\n", p->version) < 0)
		return -1;
	if (add_others(made, &plain, err) < 0 || add_ours(text, config, &plain, err) < 0)
		return -1;
	/* Where a template ends with the table, it stands behind what it is the template of. */
	if (p->kind == PLACE_TEMPLATE && default_runtime_has_table(text))
		return buf_printf(out, err, "%s", buf_str(&plain)) < 0
			       ? -1
			       : default_runtime_set("", p->version, config->default_runtime, out,
						     err);
	if (default_runtime_is_set(text))
		return default_runtime_set(buf_str(&plain), p->version, config->default_runtime,
					   out, err);
	return buf_add(out, plain.data, plain.len, err);
}
