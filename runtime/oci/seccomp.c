/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/seccomp.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/seccomp_names.h"

/* What a profile says, and what it lacks for an emulator. Objects serve as sets of names. */
struct review {
	json *rules;	 /* profile.syscalls, not owned */
	json *mentioned; /* names some rule is about, whatever it says */
	json *allowed;	 /* names allowed by a rule without argument filters */
	json *missing;	 /* names to allow as well, in order */
	bool clone3;	 /* clone3 must be made to answer ENOSYS, so that libraries fall back */
	bool foreign;	 /* architectures are listed and the node's is not among them */
};

static void review_deinit(struct review *r)
{
	json_object_put(r->mentioned);
	json_object_put(r->allowed);
	json_object_put(r->missing);
}
#define CLEANUP_REVIEW CLEANUP(review_deinit)

static bool is_string(json *value, const char *text)
{
	return json_object_is_type(value, json_type_string) &&
	       str_eq(json_object_get_string(value), text);
}

static bool in_set(json *set, const char *name)
{
	return json_object_object_get_ex(set, name, NULL);
}

static bool add_to_set(json *set, const char *name)
{
	return json_object_object_add(set, name, NULL) == 0;
}

/* True unless what no rule names is let through: then a profile only forbids. */
static bool restricts(json *profile)
{
	json *action = json_member(profile, "defaultAction");

	return !is_string(action, "SCMP_ACT_ALLOW") && !is_string(action, "SCMP_ACT_LOG") &&
	       !is_string(action, "SCMP_ACT_NOTIFY");
}

static bool review_rule(struct review *r, json *rule)
{
	json *names = json_member(rule, "names"), *args = json_member(rule, "args");
	bool plain =
		is_string(json_member(rule, "action"), "SCMP_ACT_ALLOW") &&
		(!json_object_is_type(args, json_type_array) || !json_object_array_length(args));

	for (size_t i = 0;
	     json_object_is_type(names, json_type_array) && i < json_object_array_length(names);
	     i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		if (name &&
		    (!add_to_set(r->mentioned, name) || (plain && !add_to_set(r->allowed, name))))
			return false;
	}
	return true;
}

/* A name that some rule is about stays under that rule: its author had a reason. */
static bool want(struct review *r, const char *name)
{
	json *text;

	if (in_set(r->mentioned, name))
		return true;
	text = json_object_new_string(name);
	if (text && json_object_array_add(r->missing, text) == 0)
		return add_to_set(r->mentioned, name);
	json_object_put(text);
	return false;
}

static bool want_all(struct review *r)
{
	size_t n;
	const struct seccomp_alias *aliases = seccomp_aliases(&n);

	for (size_t i = 0; i < n; i++)
		for (const char *const *node = aliases[i].node;
		     *node && in_set(r->allowed, aliases[i].guest); node++)
			if (!want(r, *node))
				return false;
	for (const char *const *name = seccomp_baseline(); *name; name++)
		if (!want(r, *name))
			return false;
	return true;
}

static bool lists_other_architectures(json *profile, const struct arch *host)
{
	json *list = json_member(profile, "architectures");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n && host->seccomp; i++)
		if (is_string(json_object_array_get_idx(list, i), host->seccomp))
			return false;
	return n && host->seccomp;
}

static bool review(json *profile, const struct arch *host, struct review *r)
{
	size_t n;

	*r = (struct review){
		.rules = json_member(profile, "syscalls"),
		.mentioned = json_object_new_object(),
		.allowed = json_object_new_object(),
		.missing = json_object_new_array(),
		.foreign = lists_other_architectures(profile, host),
	};
	if (!r->mentioned || !r->allowed || !r->missing)
		return false;
	n = json_object_is_type(r->rules, json_type_array) ? json_object_array_length(r->rules) : 0;
	for (size_t i = 0; i < n; i++)
		if (!review_rule(r, json_object_array_get_idx(r->rules, i)))
			return false;
	r->clone3 = !in_set(r->mentioned, "clone3");
	return want_all(r);
}

void seccomp_judge(json *profile, const struct arch *host, struct seccomp_fit *ret)
{
	CLEANUP_REVIEW struct review r = { NULL };

	*ret = (struct seccomp_fit){ false, NULL };
	if (!profile || !restricts(profile) || !review(profile, host, &r))
		return;
	ret->must_adapt = json_object_array_length(r.missing) || r.clone3 || r.foreign;
	for (size_t i = 0; i < json_object_array_length(r.missing); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(r.missing, i));

		for (const char *const *v = seccomp_vital(); *v && !ret->blocked; v++)
			if (str_eq(*v, name))
				ret->blocked = *v;
	}
}

/* Appends a rule; takes over @names_take. */
static bool add_rule(json *rules, json *names_take, const char *action, int errno_ret)
{
	json *rule = json_object_new_object();
	bool good = rule && names_take && json_object_object_add(rule, "names", names_take) == 0;

	if (!good)
		json_object_put(names_take);
	good = good && json_object_object_add(rule, "action", json_object_new_string(action)) == 0;
	if (errno_ret)
		good = good && json_object_object_add(rule, "errnoRet",
						      json_object_new_int(errno_ret)) == 0;
	if (good && json_object_array_add(rules, rule) == 0)
		return true;
	json_object_put(rule);
	return false;
}

static json *names_of(const char *name)
{
	json *names = json_object_new_array();

	if (names && json_object_array_add(names, json_object_new_string(name)) == 0)
		return names;
	json_object_put(names);
	return NULL;
}

static bool find_rules(json *profile, struct review *r)
{
	if (json_object_is_type(r->rules, json_type_array))
		return true;
	r->rules = json_object_new_array();
	return r->rules && json_object_object_add(profile, "syscalls", r->rules) == 0;
}

static bool apply(json *profile, const struct arch *host, struct review *r)
{
	if (!find_rules(profile, r))
		return false;
	if (json_object_array_length(r->missing) &&
	    !add_rule(r->rules, steal(r->missing), "SCMP_ACT_ALLOW", 0))
		return false;
	if (r->clone3 && !add_rule(r->rules, names_of("clone3"), "SCMP_ACT_ERRNO", ENOSYS))
		return false;
	return !r->foreign || json_object_array_add(json_member(profile, "architectures"),
						    json_object_new_string(host->seccomp)) == 0;
}

int seccomp_adapt(json *profile, const struct arch *host, struct err *err)
{
	CLEANUP_REVIEW struct review r = { NULL };

	if (!profile || !restricts(profile))
		return 0;
	if (!review(profile, host, &r) || !apply(profile, host, &r))
		return err_set(err, ERR_NOMEM, "no memory to adapt the seccomp profile");
	return 0;
}
