/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/node_config.h"

#include <stdlib.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/containerd_config.h"
#include "runtime/cli/distribution.h"

const char *node_config_find(const char *socket, const struct platform *wanted, char *place,
			     size_t size)
{
	CLEANUP_INSTALLATION struct installation n = { .distribution = NULL };
	CLEANUP_BUF struct buf dump = BUF_INIT(4u << 20);
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	const struct runtime_handler *ours;
	struct err ignored;
	char name[HANDLER_NAME_MAX];

	if (!config || installation_find(NULL, socket, &n, &ignored) < 0 || !n.containerd.pid ||
	    containerd_dump_config(&n.containerd, n.containerd.config, &dump, &ignored) < 0)
		return NULL;
	containerd_config_read(buf_str(&dump), config);
	handler_name(wanted ? platform_arch(wanted) : NULL, name);
	ours = handler_named(config, name);
	if (!ours || !handler_is_ours(ours))
		ours = handler_ours(config);
	if (ours && *handler_settings_path(ours) &&
	    str_copy(place, size, handler_settings_path(ours)))
		return place;
	return NULL;
}
