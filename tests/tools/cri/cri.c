/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/cri/cri.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

/* --- calls --------------------------------------------------------------------------------- */

static const char *env_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* The words of grpc-go, which is what the kubelet puts into events. */
static void print_error(unsigned int code, const char *message)
{
	fflush(stdout);
	fprintf(stderr, "rpc error: code = %s desc = %s\n", rpc_code_name(code), message);
}

bool cri_open(struct cri *cri)
{
	struct rpc_target target = { .socket = env_or(CRI_ENDPOINT, CRI_ENDPOINT_DEFAULT) };
	struct err err = ERR_INIT;
	uint64_t seconds;

	*cri = (struct cri){ .rpc = NULL };
	if (str_u64(env_or(CRI_TIMEOUT, CRI_TIMEOUT_DEFAULT), CRI_TIMEOUT, 86400, &seconds, &err) <
	    0) {
		fprintf(stderr, "cri-client: %s\n", err.text);
		return false;
	}
	target.timeout_ms = (unsigned int)seconds * 1000;
	if (rpc_open(&target, &cri->rpc, &err) == 0)
		return true;
	print_error(RPC_UNAVAILABLE, err.text);
	return false;
}

const void *cri_call(struct cri *cri, const char *method, const ProtobufCMessage *request,
		     const ProtobufCMessageDescriptor *reply)
{
	struct err err = ERR_INIT;
	const struct rpc_call call = {
		.method = cri_text(cri, "/runtime.v1.%s", method),
		.request = request,
		.reply = reply,
	};
	ProtobufCMessage *message;

	if (rpc_unary(cri->rpc, &call, &cri->arena, &message, &err) == 0)
		return message;
	if (rpc_last_status(cri->rpc)->code == RPC_OK)
		print_error(RPC_INTERNAL, err.text);
	else
		print_error(rpc_last_status(cri->rpc)->code, rpc_last_status(cri->rpc)->message);
	return NULL;
}

int cri_call_id(struct cri *cri, const char *method, const char *id)
{
	Cri__IdRequest request = CRI__ID_REQUEST__INIT;

	request.id = pb(id);
	return cri_call(cri, method, &request.base, &cri__empty__descriptor) ? CLI_DONE
									     : CLI_FAILED;
}

const struct cli_option cri_no_options[1] = { { NULL, 0, CLI_FLAG, NULL, NULL, NULL } };

int cri_run_id(const struct cli_command *self, int argc, char **argv, const char *method)
{
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 1, 1, argc, argv, &operands, &status))
		return status;
	return cri_open(&cri) ? cri_call_id(&cri, method, operands.v[0]) : CLI_FAILED;
}

/* --- memory -------------------------------------------------------------------------------- */

void *cri_alloc(struct cri *cri, size_t n)
{
	void *p = arena_alloc(&cri->arena, n);

	if (!p)
		abort();
	return p;
}

char *cri_text(struct cri *cri, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = cri_alloc(cri, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void cri_pairs_add(struct cri *cri, struct cri_pairs *pairs, const char *key, const char *value)
{
	Cri__Pair *pair = cri_alloc(cri, sizeof(*pair));

	if (pairs->n == pairs->cap) {
		size_t cap = pairs->cap ? 2 * pairs->cap : 16;
		Cri__Pair **v = cri_alloc(cri, cap * sizeof(Cri__Pair *));

		if (pairs->n)
			memcpy(v, pairs->v, pairs->n * sizeof(Cri__Pair *));
		pairs->v = v;
		pairs->cap = cap;
	}
	cri__pair__init(pair);
	pair->key = pb(key);
	pair->value = pb(value);
	pairs->v[pairs->n++] = pair;
}

bool cri_pairs_parse(struct cri *cri, struct cri_pairs *pairs, const struct cli_command *self,
		     const struct cli_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *equals = strchr(list->item[i], '=');

		if (!equals || equals == list->item[i]) {
			cli_usage(self, "\"%s\" is not of the form KEY=VALUE", list->item[i]);
			return false;
		}
		cri_pairs_add(cri, pairs,
			      cri_text(cri, "%.*s", (int)(equals - list->item[i]), list->item[i]),
			      equals + 1);
	}
	return true;
}

/* --- what statuses carry ------------------------------------------------------------------- */

const char *cri_info(Cri__Pair *const *info, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(info[i]->key, "info"))
			return info[i]->value;
	return NULL;
}

const char *cri_json_at(struct cri *cri, const char *json, const char *path)
{
	struct json_object *root = json ? json_tokener_parse(json) : NULL, *o = root;
	char *keys = cri_text(cri, "%s", path);
	const char *found = "";

	for (char *key = strsep(&keys, "."); o && key; key = strsep(&keys, "."))
		if (!json_object_object_get_ex(o, key, &o))
			o = NULL;
	if (o)
		found = cri_text(cri, "%s", json_object_get_string(o));
	json_object_put(root);
	return found;
}

bool cri_profile_parse(const char *text, Cri__Profile *ret)
{
	cri__profile__init(ret);
	if (str_eq(text, "runtime/default"))
		ret->type = CRI__PROFILE_TYPE__RUNTIME_DEFAULT;
	else if (str_eq(text, "unconfined"))
		ret->type = CRI__PROFILE_TYPE__UNCONFINED;
	else if (*text == '/')
		ret->type = CRI__PROFILE_TYPE__LOCALHOST;
	else
		return false;
	if (*text == '/')
		ret->localhost_ref = pb(text);
	return true;
}
