/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/seccomp_review.h"

#include "runtime/base/str.h"
#include "runtime/oci/seccomp_arch.h"

void review_deinit(struct review *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->kinds); i++)
		json_object_put(r->kinds[i]);
	json_object_put(r->added);
}

const char *review_text(json *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

size_t review_length(json *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static enum review_kind review_kind_of_action(const char *action)
{
	if (str_eq(action, "SCMP_ACT_ALLOW") || str_eq(action, "SCMP_ACT_LOG"))
		return REVIEW_ALLOW;
	if (str_after(action, "SCMP_ACT_KILL") || str_eq(action, "SCMP_ACT_TRAP"))
		return REVIEW_KILL;
	return str_eq(action, "SCMP_ACT_ERRNO") ? REVIEW_DENY : REVIEW_OTHER;
}

enum review_kind review_kind_of(json *rule)
{
	return review_length(json_member(rule, "args"))
		       ? REVIEW_OTHER
		       : review_kind_of_action(review_text(json_member(rule, "action")));
}

bool review_is(const struct review *r, enum review_kind kind, const char *name)
{
	return json_object_object_get_ex(r->kinds[kind], name, NULL);
}

bool review_denies(const struct review *r, const char *name)
{
	return review_is(r, REVIEW_DENY, name) || review_is(r, REVIEW_KILL, name);
}

bool review_mentions(const struct review *r, const char *name)
{
	return review_is(r, REVIEW_ALLOW, name) || review_denies(r, name) ||
	       review_is(r, REVIEW_OTHER, name);
}

bool review_mention(struct review *r, enum review_kind kind, const char *name)
{
	return json_object_object_add(r->kinds[kind], name, NULL) == 0;
}

bool review_lists(json *profile, const struct arch *a)
{
	json *list = json_member(profile, "architectures");

	for (size_t i = 0; i < review_length(list) && a->seccomp; i++)
		if (str_eq(review_text(json_object_array_get_idx(list, i)), a->seccomp))
			return true;
	return false;
}

bool review_guest_has(const struct review *r, const char *name)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	if (seccomp_arch_has_call(r->guest, name))
		return true;
	for (size_t i = 0; i < n; i++)
		if (rows[i].compat_of && str_eq(rows[i].compat_of, r->guest->name) &&
		    review_lists(r->profile, &rows[i]) && seccomp_arch_has_call(&rows[i], name))
			return true;
	return false;
}

static bool review_rule(struct review *r, json *rule)
{
	json *names = json_member(rule, "names");

	for (size_t i = 0; i < review_length(names); i++) {
		const char *name = review_text(json_object_array_get_idx(names, i));

		if (*name && !review_mention(r, review_kind_of(rule), name))
			return false;
	}
	return true;
}

bool review_init(struct review *r, json *profile, const struct arch *host, const struct arch *guest)
{
	*r = (struct review){
		.profile = profile,
		.rules = json_member(profile, "syscalls"),
		.added = json_object_new_array(),
		.unnamed =
			review_kind_of_action(review_text(json_member(profile, "defaultAction"))),
		.host = host,
		.guest = guest,
	};
	for (size_t i = 0; i < ARRAY_SIZE(r->kinds); i++)
		if (!(r->kinds[i] = json_object_new_object()))
			return false;
	for (size_t i = 0; i < review_length(r->rules); i++)
		if (!review_rule(r, json_object_array_get_idx(r->rules, i)))
			return false;
	return r->added;
}
