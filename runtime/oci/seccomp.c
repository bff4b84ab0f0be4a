/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/seccomp_arch.h"
#include "runtime/oci/seccomp_names.h"

/* What a rule does with the calls it names. */
enum kind {
	KIND_ALLOW,
	KIND_DENY,  /* without looking at arguments */
	KIND_KILL,  /* the same, and the process or thread dies or gets SIGSYS */
	KIND_OTHER, /* decides by arguments, or leaves it to another process */
};

/* A profile under review. Objects serve as sets of names. */
struct review {
	json *profile;
	json *rules;	   /* profile.syscalls, not owned; NULL without */
	json *kinds[4];	   /* enum kind: the names of such rules */
	json *added;	   /* array: names to allow as well, in order */
	enum kind unnamed; /* what happens to calls no rule names */
	const struct arch *host, *guest;
	bool changed, lossy;
};

static void review_deinit(struct review *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->kinds); i++)
		json_object_put(r->kinds[i]);
	json_object_put(r->added);
}
#define CLEANUP_REVIEW CLEANUP(review_deinit)

/* --- reading -------------------------------------------------------------------------------- */

static const char *text_of(json *value)
{
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static size_t length_of(json *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static enum kind kind_of_action(const char *action)
{
	if (str_eq(action, "SCMP_ACT_ALLOW") || str_eq(action, "SCMP_ACT_LOG"))
		return KIND_ALLOW;
	if (str_after(action, "SCMP_ACT_KILL") || str_eq(action, "SCMP_ACT_TRAP"))
		return KIND_KILL;
	return str_eq(action, "SCMP_ACT_ERRNO") ? KIND_DENY : KIND_OTHER;
}

static enum kind kind_of_rule(json *rule)
{
	return length_of(json_member(rule, "args"))
		       ? KIND_OTHER
		       : kind_of_action(text_of(json_member(rule, "action")));
}

static bool is_of(const struct review *r, enum kind kind, const char *name)
{
	return json_object_object_get_ex(r->kinds[kind], name, NULL);
}

static bool is_denied(const struct review *r, const char *name)
{
	return is_of(r, KIND_DENY, name) || is_of(r, KIND_KILL, name);
}

static bool is_mentioned(const struct review *r, const char *name)
{
	return is_of(r, KIND_ALLOW, name) || is_denied(r, name) || is_of(r, KIND_OTHER, name);
}

static bool mention(struct review *r, enum kind kind, const char *name)
{
	return json_object_object_add(r->kinds[kind], name, NULL) == 0;
}

/* True when @a has a call of that name, or when libseccomp does not know @a. */
static bool has_call(const struct arch *a, const char *name)
{
	uint32_t token = seccomp_arch_token(a->seccomp);

	return !token || seccomp_syscall_resolve_name_arch(token, name) >= 0;
}

static bool lists(json *profile, const struct arch *a)
{
	json *list = json_member(profile, "architectures");

	for (size_t i = 0; i < length_of(list) && a->seccomp; i++)
		if (str_eq(text_of(json_object_array_get_idx(list, i)), a->seccomp))
			return true;
	return false;
}

/* The guest, and its smaller sisters if the profile was written for them as well. */
static bool guest_has_call(const struct review *r, const char *name)
{
	size_t n;
	const struct arch *rows = arch_rows(&n);

	if (has_call(r->guest, name))
		return true;
	for (size_t i = 0; i < n; i++)
		if (rows[i].compat_of && str_eq(rows[i].compat_of, r->guest->name) &&
		    lists(r->profile, &rows[i]) && has_call(&rows[i], name))
			return true;
	return false;
}

static bool review_rule(struct review *r, json *rule)
{
	json *names = json_member(rule, "names");

	for (size_t i = 0; i < length_of(names); i++) {
		const char *name = text_of(json_object_array_get_idx(names, i));

		if (*name && !mention(r, kind_of_rule(rule), name))
			return false;
	}
	return true;
}

static bool review_init(struct review *r, json *profile, const struct arch *host,
			const struct arch *guest)
{
	*r = (struct review){
		.profile = profile,
		.rules = json_member(profile, "syscalls"),
		.added = json_object_new_array(),
		.unnamed = kind_of_action(text_of(json_member(profile, "defaultAction"))),
		.host = host,
		.guest = guest,
	};
	for (size_t i = 0; i < ARRAY_SIZE(r->kinds); i++)
		if (!(r->kinds[i] = json_object_new_object()))
			return false;
	for (size_t i = 0; i < length_of(r->rules); i++)
		if (!review_rule(r, json_object_array_get_idx(r->rules, i)))
			return false;
	return r->added;
}

/* --- what no emulator does without ------------------------------------------------------------ */

static bool is_passable(const struct review *r, const char *name, bool when_killed)
{
	if (!has_call(r->host, name))
		return false;
	if (is_of(r, KIND_ALLOW, name) || is_of(r, KIND_OTHER, name))
		return true;
	if (is_denied(r, name))
		return when_killed && !is_of(r, KIND_KILL, name);
	return r->unnamed == KIND_ALLOW || r->unnamed == KIND_OTHER ||
	       (when_killed && r->unnamed != KIND_KILL);
}

static const char *find_blocked(const struct review *r)
{
	size_t n;
	const struct seccomp_vital *vital = seccomp_vital(&n);

	for (size_t i = 0; i < n; i++) {
		bool exists = false, passable = false;

		for (const char *const *name = vital[i].names; *name; name++) {
			exists |= has_call(r->host, *name);
			passable |= is_passable(r, *name, vital[i].when_killed);
		}
		if (exists && !passable)
			return vital[i].names[0];
	}
	return NULL;
}

/* --- what is added ---------------------------------------------------------------------------- */

/* A name that some rule is about stays under that rule: its author had a reason. */
static bool allow(struct review *r, const char *name)
{
	json *text;

	if (is_mentioned(r, name) || !has_call(r->host, name))
		return true;
	r->changed = true;
	text = json_object_new_string(name);
	if (text && json_object_array_add(r->added, text) == 0)
		return mention(r, KIND_ALLOW, name);
	json_object_put(text);
	return false;
}

static bool is_own_need(const char *name)
{
	for (const char *const *need = seccomp_baseline(); *need; need++)
		if (str_eq(*need, name))
			return true;
	return false;
}

static bool allow_all(struct review *r)
{
	size_t n;
	const struct seccomp_alias *aliases = seccomp_aliases(&n);

	for (size_t i = 0; i < n; i++)
		for (const char *const *node = aliases[i].node;
		     *node && is_of(r, KIND_ALLOW, aliases[i].guest) &&
		     guest_has_call(r, aliases[i].guest);
		     node++)
			if (!allow(r, *node))
				return false;
	for (const char *const *name = seccomp_baseline(); *name; name++)
		if (!allow(r, *name))
			return false;
	return true;
}

static size_t place_in(json *names, const char *name)
{
	size_t i = 0;

	while (i < length_of(names) && !str_eq(text_of(json_object_array_get_idx(names, i)), name))
		i++;
	return i;
}

static bool note(struct buf *notes, const char *before, const char *name)
{
	struct err err;

	return !notes || buf_printf(notes, &err, "%s%s", before, name) == 0;
}

static bool note_end(struct buf *notes, size_t since)
{
	return !notes || notes->len == since || note(notes, "\n", "");
}

static size_t notes_so_far(const struct buf *notes)
{
	return notes ? notes->len : 0;
}

/* Rules that deny or look at arguments hold for the node's name of the call as well. */
static bool carry_rule(struct review *r, json *rule, struct buf *notes)
{
	json *names = json_member(rule, "names");
	enum kind kind = kind_of_rule(rule);
	size_t n, since = notes_so_far(notes);
	const struct seccomp_alias *aliases = seccomp_aliases(&n);

	for (size_t i = 0; i < n && kind != KIND_ALLOW; i++) {
		const char *node = aliases[i].node[0];
		json *text;

		if (!aliases[i].same || is_mentioned(r, node) || !has_call(r->host, node) ||
		    (kind != KIND_OTHER && is_own_need(node)) ||
		    place_in(names, aliases[i].guest) == length_of(names) ||
		    !guest_has_call(r, aliases[i].guest))
			continue;
		text = json_object_new_string(node);
		if (!text || json_object_array_add(names, text) < 0 || !mention(r, kind, node) ||
		    !note(notes,
			  notes_so_far(notes) == since ? "rules that deny or look at arguments now "
							 "also hold for "
						       : ", ",
			  node))
			return false;
		r->changed = true;
	}
	return note_end(notes, since);
}

/* Appends a rule; takes over @names_take. */
static bool add_rule(struct review *r, json *names_take, const char *action, int errno_ret)
{
	json *rule = json_object_new_object();
	bool good = rule && names_take && json_object_object_add(rule, "names", names_take) == 0;

	if (!good)
		json_object_put(names_take);
	good = good && json_object_object_add(rule, "action", json_object_new_string(action)) == 0;
	if (errno_ret)
		good = good && json_object_object_add(rule, "errnoRet",
						      json_object_new_int(errno_ret)) == 0;
	if (good && json_object_array_add(r->rules, rule) == 0)
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

static bool answers_enosys(json *object, const char *action, const char *errno_ret)
{
	return str_eq(text_of(json_member(object, action)), "SCMP_ACT_ERRNO") &&
	       json_object_get_int(json_member(object, errno_ret)) == ENOSYS;
}

/* Takes the name out of the rules that deny it with another answer. */
static bool drop_clone3(struct review *r)
{
	bool dropped = false;

	for (size_t i = length_of(r->rules); i-- > 0;) {
		json *rule = json_object_array_get_idx(r->rules, i);
		json *names = json_member(rule, "names");
		size_t at = place_in(names, "clone3");

		if (at == length_of(names) || answers_enosys(rule, "action", "errnoRet"))
			continue;
		dropped = true;
		if (length_of(names) == 1)
			json_object_array_del_idx(r->rules, i, 1);
		else
			json_object_array_del_idx(names, at, 1);
	}
	return dropped;
}

/* C libraries fall back to clone on ENOSYS only. */
static bool settle_clone3(struct review *r, struct buf *notes)
{
	bool unnamed = r->unnamed != KIND_ALLOW && r->unnamed != KIND_OTHER &&
		       !is_mentioned(r, "clone3") &&
		       !answers_enosys(r->profile, "defaultAction", "defaultErrnoRet");
	bool dropped = is_denied(r, "clone3") && !is_of(r, KIND_OTHER, "clone3") && drop_clone3(r);

	if (!unnamed && !dropped)
		return true;
	r->changed = true;
	return add_rule(r, names_of("clone3"), "SCMP_ACT_ERRNO", ENOSYS) &&
	       note(notes, "", "clone3 answers ENOSYS\n");
}

/*
 * A list without the node's own becomes the node's: programs of the others never reach its filter,
 * and libseccomp does not mix byte orders.
 */
static bool replace_architectures(struct review *r, struct buf *notes)
{
	json *list = json_member(r->profile, "architectures"), *ours;

	if (!length_of(list) || !r->host->seccomp || lists(r->profile, r->host))
		return true;
	r->changed = true;
	ours = names_of(r->host->seccomp);
	return ours && note(notes, "architectures: ", r->host->seccomp) &&
	       note(notes, " instead of ",
		    json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN)) &&
	       note(notes, "\n", "") &&
	       json_object_object_add(r->profile, "architectures", ours) == 0;
}

static bool add_names(struct review *r, struct buf *notes)
{
	size_t n = length_of(r->added);

	for (size_t i = 0; i < n; i++)
		if (!note(notes, i ? " " : "allowed as well: ",
			  text_of(json_object_array_get_idx(r->added, i))))
			return false;
	if (n && !note(notes, "\n", ""))
		return false;
	return !n || add_rule(r, steal(r->added), "SCMP_ACT_ALLOW", 0);
}

/* --- what cannot be kept ---------------------------------------------------------------------- */

/* Rules of the author's that the emulator itself will meet. */
static bool note_own_needs(const struct review *r, struct buf *notes)
{
	size_t since = notes_so_far(notes);

	for (const char *const *name = seccomp_baseline(); *name; name++) {
		const char *what = is_denied(r, *name)		 ? " (denied)"
				   : is_of(r, KIND_OTHER, *name) ? " (by its arguments)"
								 : NULL;

		if (what && (!note(notes,
				   notes_so_far(notes) == since
					   ? "kept, though it judges the emulator's own calls: "
					   : ", ",
				   *name) ||
			     !note(notes, what, "")))
			return false;
	}
	return note_end(notes, since);
}

/* Rules about a guest's name for a call that the node knows, and lets through, as another. */
static bool note_without_effect(struct review *r, struct buf *notes)
{
	size_t n, since = notes_so_far(notes);
	const struct seccomp_alias *aliases = seccomp_aliases(&n);

	for (size_t i = 0; i < n; i++) {
		const char *guest = aliases[i].guest, *node = aliases[i].node[0];
		bool ruled = is_denied(r, guest) || is_of(r, KIND_OTHER, guest);

		if (ruled && guest_has_call(r, guest) && !is_denied(r, node) &&
		    !is_of(r, KIND_OTHER, node) &&
		    (is_of(r, KIND_ALLOW, node) || r->unnamed == KIND_ALLOW) &&
		    ((r->lossy = true)) &&
		    (!note(notes,
			   notes_so_far(notes) == since
				   ? "not kept, for the node knows the call by "
				     "a name that is allowed: "
				   : ", ",
			   guest) ||
		     !note(notes, " as ", node)))
			return false;
	}
	return note_end(notes, since);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool find_rules(struct review *r)
{
	if (json_object_is_type(r->rules, json_type_array))
		return true;
	r->rules = json_object_new_array();
	return r->rules && json_object_object_add(r->profile, "syscalls", r->rules) == 0;
}

static bool adapt(struct review *r, struct buf *notes)
{
	bool restricts = r->unnamed == KIND_DENY || r->unnamed == KIND_KILL;
	size_t n = length_of(r->rules);

	if (!find_rules(r) || (restricts && !allow_all(r)))
		return false;
	if (!add_names(r, notes))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!carry_rule(r, json_object_array_get_idx(r->rules, i), notes))
			return false;
	if (!settle_clone3(r, notes) || !replace_architectures(r, notes))
		return false;
	return note_own_needs(r, notes) && note_without_effect(r, notes);
}

static bool judge(json *profile, json *copy, const struct arch *host, const struct arch *guest,
		  struct seccomp_fit *ret)
{
	CLEANUP_REVIEW struct review before = { NULL };
	CLEANUP_REVIEW struct review after = { NULL };

	if (!review_init(&before, profile, host, guest) ||
	    !review_init(&after, copy, host, guest) || !adapt(&after, NULL))
		return false;
	*ret = (struct seccomp_fit){ after.changed || after.lossy, find_blocked(&before),
				     find_blocked(&after) };
	return true;
}

void seccomp_judge(json *profile, const struct arch *host, const struct arch *guest,
		   struct seccomp_fit *ret)
{
	CLEANUP_JSON json *copy = NULL;

	*ret = (struct seccomp_fit){ false, NULL, NULL };
	if (!profile || json_object_deep_copy(profile, &copy, NULL) < 0 ||
	    !judge(profile, copy, host, guest, ret))
		*ret = (struct seccomp_fit){ false, NULL, NULL };
}

int seccomp_adapt(json *profile, const struct arch *host, const struct arch *guest,
		  struct buf *notes, struct err *err)
{
	CLEANUP_REVIEW struct review r = { NULL };

	if (!profile)
		return 0;
	if (!review_init(&r, profile, host, guest) || !adapt(&r, notes))
		return err_set(err, ERR_NOMEM, "no memory to adapt the seccomp profile");
	return 0;
}
