/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/image_process.h"

void image_process_deinit(struct image_process *p)
{
	json_object_put(p->document);
	p->document = NULL;
}

static int read_config(json *config, struct arena *arena, struct image_process *ret,
		       struct err *err)
{
	if (json_strings(config, "Entrypoint", arena, &ret->entrypoint, err) < 0 ||
	    json_strings(config, "Cmd", arena, &ret->cmd, err) < 0 ||
	    json_strings(config, "Env", arena, &ret->env, err) < 0 ||
	    json_text(config, "WorkingDir", "", &ret->cwd, err) < 0 ||
	    json_text(config, "User", "", &ret->user, err) < 0 ||
	    json_text(config, "StopSignal", "", &ret->stop_signal, err) < 0)
		return -1;
	return json_typed(config, "Volumes", json_type_object, &ret->volumes, err);
}

int image_process_parse(const void *bytes, size_t n, struct arena *arena, struct image_process *ret,
			struct err *err)
{
	CLEANUP_IMAGE_PROCESS struct image_process p = { .document = NULL };
	json *config;

	if (json_parse(bytes, n, "JSON", &p.document, err) < 0 ||
	    json_typed(p.document, "config", json_type_object, &config, err) < 0 ||
	    read_config(config, arena, &p, err) < 0)
		return -1;
	*ret = p;
	p.document = NULL;
	return 0;
}
