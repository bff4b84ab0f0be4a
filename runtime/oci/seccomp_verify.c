/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/seccomp_arch.h"

#define ARGS_MAX 6

struct word {
	const char *name;
	uint32_t value;
};

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
};

static const struct word operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
};

static const struct word *find(const struct word *words, size_t n, json *value)
{
	const char *name =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";

	for (size_t i = 0; i < n; i++)
		if (str_eq(words[i].name, name))
			return &words[i];
	return NULL;
}

static size_t length_of(json *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static int invalid(const char *what, json *value, struct err *err)
{
	return err_set(err, ERR_INVALID, "seccomp profile: %s %.80s", what,
		       value ? json_object_get_string(value) : "is missing");
}

/* Errors and traces carry a number; that of errors is EPERM unless it is set. */
static int read_action(json *object, const char *action, const char *number, uint32_t *ret,
		       struct err *err)
{
	json *name = json_member(object, action), *value = json_member(object, number);
	const struct word *w = find(actions, ARRAY_SIZE(actions), name);
	uint32_t data = value ? (uint32_t)json_object_get_int(value) : EPERM;

	if (!w)
		return invalid("action", name, err);
	*ret = w->value;
	if (w->value == SCMP_ACT_ERRNO(0) || w->value == SCMP_ACT_TRACE(0))
		*ret |= data & 0xffffu;
	return 0;
}

static int read_args(json *args, struct scmp_arg_cmp ret[ARGS_MAX], unsigned int *ret_n,
		     struct err *err)
{
	*ret_n = (unsigned int)length_of(args);
	if (*ret_n > ARGS_MAX)
		return invalid("too many", args, err);
	for (unsigned int i = 0; i < *ret_n; i++) {
		json *arg = json_object_array_get_idx(args, i);
		const struct word *op =
			find(operators, ARRAY_SIZE(operators), json_member(arg, "op"));

		if (!op)
			return invalid("operator", json_member(arg, "op"), err);
		ret[i] = (struct scmp_arg_cmp){
			(unsigned int)json_object_get_int(json_member(arg, "index")),
			(enum scmp_compare)op->value,
			json_object_get_uint64(json_member(arg, "value")),
			json_object_get_uint64(json_member(arg, "valueTwo")),
		};
	}
	return 0;
}

/* Two conditions on one argument make two rules, as in the engines. */
static bool same_argument(const struct scmp_arg_cmp *args, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < i; k++)
			if (args[i].arg == args[k].arg)
				return true;
	return false;
}

static int add_call(scmp_filter_ctx ctx, uint32_t action, int call, const struct scmp_arg_cmp *args,
		    unsigned int n)
{
	int rc = 0;

	if (!same_argument(args, n))
		return seccomp_rule_add_array(ctx, action, call, n, args);
	for (unsigned int i = 0; i < n && rc == 0; i++)
		rc = seccomp_rule_add_array(ctx, action, call, 1, &args[i]);
	return rc;
}

static int add_rule(scmp_filter_ctx ctx, json *rule, uint32_t unnamed, struct err *err)
{
	json *names = json_member(rule, "names");
	struct scmp_arg_cmp args[ARGS_MAX];
	uint32_t action;
	unsigned int n;

	if (read_action(rule, "action", "errnoRet", &action, err) < 0 ||
	    read_args(json_member(rule, "args"), args, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < length_of(names) && action != unnamed; i++) {
		json *name = json_object_array_get_idx(names, i);
		int call = seccomp_syscall_resolve_name(name ? json_object_get_string(name) : "");
		int rc = call == __NR_SCMP_ERROR ? 0 : add_call(ctx, action, call, args, n);

		if (rc < 0) {
			errno = -rc;
			return err_sys(err, ERR_INVALID, "seccomp profile: rule for %.40s",
				       json_object_get_string(name));
		}
	}
	return 0;
}

static int add_architecture(scmp_filter_ctx ctx, json *name, struct err *err)
{
	uint32_t token = seccomp_arch_token(name ? json_object_get_string(name) : NULL);
	int rc;

	if (!token)
		return invalid("architecture", name, err);
	if (seccomp_arch_exist(ctx, token) == 0)
		return 0;
	rc = seccomp_arch_add(ctx, token);
	if (rc < 0) {
		errno = -rc;
		return err_sys(err, ERR_INVALID, "seccomp profile: architecture %.40s",
			       json_object_get_string(name));
	}
	return 0;
}

static int build(scmp_filter_ctx ctx, json *profile, uint32_t unnamed, int sink, struct err *err)
{
	json *archs = json_member(profile, "architectures"),
	     *rules = json_member(profile, "syscalls");
	int rc;

	for (size_t i = 0; i < length_of(archs); i++)
		if (add_architecture(ctx, json_object_array_get_idx(archs, i), err) < 0)
			return -1;
	for (size_t i = 0; i < length_of(rules); i++)
		if (add_rule(ctx, json_object_array_get_idx(rules, i), unnamed, err) < 0)
			return -1;
	rc = seccomp_export_bpf(ctx, sink);
	if (rc == 0)
		return 0;
	errno = -rc;
	return err_sys(err, ERR_INVALID, "seccomp profile: no filter can be built of it");
}

int seccomp_verify(json *profile, int sink, struct err *err)
{
	scmp_filter_ctx ctx;
	uint32_t unnamed;
	int rc;

	if (read_action(profile, "defaultAction", "defaultErrnoRet", &unnamed, err) < 0)
		return -1;
	ctx = seccomp_init(unnamed);
	if (!ctx)
		return err_set(err, ERR_INVALID, "seccomp profile: default action");
	rc = build(ctx, profile, unnamed, sink, err);
	seccomp_release(ctx);
	return rc;
}
