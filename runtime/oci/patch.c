/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/patch.h"

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/seccomp.h"

static bool has_variable(json *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < json_object_array_length(env); i++) {
		const char *entry = json_object_get_string(json_object_array_get_idx(env, i));

		if (entry && strncmp(entry, name, n) == 0 && entry[n] == '=')
			return true;
	}
	return false;
}

/* The array env of @process, made where it is missing. */
static int find_env(json *process, json **ret, struct err *err)
{
	if (json_typed(process, "env", json_type_array, ret, err) < 0)
		return -1;
	if (*ret)
		return 0;
	*ret = json_object_new_array();
	if (!*ret || json_object_object_add(process, "env", *ret) < 0)
		return err_set(err, ERR_NOMEM, "no memory for process.env");
	return 0;
}

static int add_variable(json *process, const char *name, const char *value, struct err *err)
{
	char text[256];
	json *env = NULL, *entry;

	if (find_env(process, &env, err) < 0)
		return -1;
	if (has_variable(env, name))
		return 0;
	if (!str_fmt(text, sizeof(text), "%s=%s", name, value))
		return err_set(err, ERR_LIMIT, "value of %s is too long", name);
	entry = json_object_new_string(text);
	if (!entry || json_object_array_add(env, entry) < 0) {
		json_object_put(entry);
		return err_set(err, ERR_NOMEM, "no memory for %s", name);
	}
	return 0;
}

int patch_process_apply(json *process, const struct patch *p, struct err *err)
{
	if (p->qemu_cpu && add_variable(process, "QEMU_CPU", p->qemu_cpu, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n_variables; i++)
		if (add_variable(process, p->variables[i].name, p->variables[i].value, err) < 0)
			return -1;
	return 0;
}

int patch_terminal(json *process, bool terminal, struct err *err)
{
	json *value = json_object_new_boolean(terminal);

	if (value && json_object_object_add(process, "terminal", value) == 0)
		return 0;
	json_object_put(value);
	return err_set(err, ERR_NOMEM, "no memory for process.terminal");
}

int patch_apply(json *document, const struct patch *p, struct err *err)
{
	json *process;

	if (json_typed(document, "process", json_type_object, &process, err) < 0)
		return -1;
	if (!process && (p->qemu_cpu || p->n_variables))
		return err_set(err, ERR_INVALID, "config.json has no process");
	if (process && patch_process_apply(process, p, err) < 0)
		return -1;
	if (p->adapt_seccomp)
		return seccomp_adapt(json_member(json_member(document, "linux"), "seccomp"),
				     p->host, p->guest, p->notes, err);
	return 0;
}
