/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/user.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/str.h"

#define NAME_MAX_BYTES 256
#define LINE_MAX_BYTES 4096
#define FIELDS 7

/* One line of either file, NAME:PASSWORD:NUMBER:..., taken apart. */
struct entry {
	char line[LINE_MAX_BYTES];
	const char *fields[FIELDS]; /* "" where there are fewer */
	uint64_t number;
};

static bool parse_number(const char *text, uint64_t *ret)
{
	struct err ignored;

	return *text && str_u64(text, "id", UINT32_MAX, ret, &ignored) == 0;
}

/* The next line that makes sense. */
static bool next_entry(const char **rest, struct entry *e)
{
	const char *line;
	size_t n;

	while (str_line(rest, &line, &n)) {
		char *at = e->line;

		if (n >= sizeof(e->line) || *line == '#')
			continue;
		(void)str_fmt(e->line, sizeof(e->line), "%.*s", (int)n, line);
		for (size_t i = 0; i < FIELDS; i++)
			e->fields[i] = at ? strsep(&at, ":") : "";
		if (*e->fields[0] && parse_number(e->fields[2], &e->number))
			return true;
	}
	return false;
}

/* By its number, or by its name if it is none. */
static bool find_entry(const char *text, const char *name, struct entry *ret)
{
	uint64_t number;
	bool numeric = parse_number(name, &number);

	while (next_entry(&text, ret))
		if (numeric ? ret->number == number : str_eq(ret->fields[0], name))
			return true;
	return false;
}

static bool is_member(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (*list) {
		size_t length = strcspn(list, ",");

		if (length == n && memcmp(list, name, n) == 0)
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

static void find_groups(const char *group, const char *name, struct user_ids *ret)
{
	struct entry e;

	while (ret->n_groups < USER_GROUPS_MAX && next_entry(&group, &e))
		if (is_member(e.fields[3], name))
			ret->groups[ret->n_groups++] = (gid_t)e.number;
}

static bool find_group(const char *group, const char *name, gid_t *ret)
{
	uint64_t number;
	struct entry e;

	if (!parse_number(name, &number)) {
		if (!find_entry(group, name, &e))
			return false;
		number = e.number;
	}
	*ret = (gid_t)number;
	return true;
}

bool user_resolve(const char *user, const char *passwd, const char *group, struct user_ids *ret)
{
	char name[NAME_MAX_BYTES];
	const char *colon = strchr(user, ':');
	uint64_t number, gid = 0;
	struct entry e;
	bool known;

	memset(ret, 0, sizeof(*ret));
	if (!str_fmt(name, sizeof(name), "%.*s", (int)strcspn(user, ":"), user))
		return false;
	known = find_entry(passwd, name, &e);
	if (!known && !parse_number(name, &number))
		return false;
	ret->uid = (uid_t)(known ? e.number : number);
	if (known) {
		(void)parse_number(e.fields[3], &gid);
		find_groups(group, e.fields[0], ret);
	}
	ret->gid = (gid_t)gid;
	return !colon || find_group(group, colon + 1, &ret->gid);
}

bool user_has_group(const struct user_ids *u, gid_t group)
{
	if (u->gid == group)
		return true;
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == group)
			return true;
	return false;
}
