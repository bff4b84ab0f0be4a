/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/args.h"

#include <stddef.h>
#include <string.h>

#include "runtime/base/log.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

struct flag {
	const char *name;
	bool is_bool;
	size_t offset;
};

#define TEXT(name, member)                                 \
	{                                                  \
		name, false, offsetof(struct args, member) \
	}
#define BOOL(name, member)                                \
	{                                                 \
		name, true, offsetof(struct args, member) \
	}
static const struct flag flags[] = {
	TEXT("namespace", namespace),
	TEXT("id", id),
	TEXT("address", address),
	TEXT("publish-binary", publish_binary),
	TEXT("bundle", bundle),
	TEXT("socket", socket),
	TEXT("debug-socket", debug_socket),
	BOOL("debug", debug),
	BOOL("info", info),
	BOOL("v", version),
	BOOL("version", version),
};

/* One or two dashes; NULL when @arg is no flag at all. */
static const char *flag_name(const char *arg)
{
	if (arg[0] != '-' || !arg[1])
		return NULL;
	return arg[1] == '-' ? arg + 2 : arg + 1;
}

static const struct flag *find_flag(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strlen(flags[i].name) == n && memcmp(flags[i].name, name, n) == 0)
			return &flags[i];
	return NULL;
}

static int set_bool(struct args *a, const struct flag *f, const char *value, struct err *err)
{
	bool *at = (bool *)(void *)((char *)a + f->offset);

	if (!value || str_eq(value, "true") || str_eq(value, "1"))
		*at = true;
	else if (str_eq(value, "false") || str_eq(value, "0"))
		*at = false;
	else
		return err_set(err, ERR_INVALID, "-%s takes true or false, not \"%.40s\"", f->name,
			       value);
	return 0;
}

int args_parse(int argc, char **argv, struct args *ret, struct err *err)
{
	int i;

	*ret = (struct args){ "", "", "", "", "", "", "", false, false, false, "", argv };
	for (i = 1; i < argc; i++) {
		const char *name = flag_name(argv[i]), *value;
		const struct flag *f;

		if (!name)
			break;
		value = strchr(name, '=');
		f = find_flag(name, value ? (size_t)(value - name) : strlen(name));
		if (!f)
			return err_set(err, ERR_INVALID, "unknown flag \"%.80s\"", argv[i]);
		value = value ? value + 1 : NULL;
		if (f->is_bool) {
			if (set_bool(ret, f, value, err) < 0)
				return -1;
			continue;
		}
		if (!value && ++i >= argc)
			return err_set(err, ERR_INVALID, "flag -%s needs a value", f->name);
		*(const char **)(void *)((char *)ret + f->offset) = value ? value : argv[i];
	}
	if (i < argc)
		ret->action = argv[i++];
	if (i < argc)
		return err_set(err, ERR_INVALID, "unexpected argument \"%.80s\"", argv[i]);
	return 0;
}

int args_check(const struct args *a, struct err *err)
{
	if (a->debug)
		log_set_level(LOG_DEBUG);
	if (!*a->namespace || !*a->id)
		return err_set(err, ERR_INVALID,
			       "%s: -namespace and -id are needed, and nothing else says them",
			       a->action);
	if (!str_is_identifier(a->id) || !str_is_identifier(a->namespace))
		return err_set(err, ERR_INVALID,
			       "%s: -namespace and -id take letters, digits and single . _ - "
			       "between them, at most 76",
			       a->action);
	return 0;
}

int args_copy(const struct args *a, struct arena *arena, struct args *ret, struct err *err)
{
	*ret = *a;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const char **at = (const char **)(void *)((char *)ret + flags[i].offset);

		if (flags[i].is_bool)
			continue;
		*at = arena_strdup(arena, *at);
		if (!*at)
			return err_set(err, ERR_NOMEM, "no memory for the arguments");
	}
	ret->action = "";
	ret->argv = NULL;
	return 0;
}
