/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/seccomp.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/seccomp_arch.h"
#include "runtime/oci/seccomp_names.h"
#include "runtime/oci/seccomp_review.h"

/* --- what no emulator does without ------------------------------------------------------------ */

static bool is_passable(const struct review *r, const char *name, bool when_killed)
{
	if (!seccomp_arch_has_call(r->host, name))
		return false;
	if (review_is(r, REVIEW_ALLOW, name) || review_is(r, REVIEW_OTHER, name))
		return true;
	if (review_denies(r, name))
		return when_killed && !review_is(r, REVIEW_KILL, name);
	return r->unnamed == REVIEW_ALLOW || r->unnamed == REVIEW_OTHER ||
	       (when_killed && r->unnamed != REVIEW_KILL);
}

static const char *find_blocked(const struct review *r)
{
	size_t n;
	const struct seccomp_vital *vital = seccomp_vital(&n);

	for (size_t i = 0; i < n; i++) {
		bool exists = false, passable = false;

		for (const char *const *name = vital[i].names; *name; name++) {
			exists |= seccomp_arch_has_call(r->host, *name);
			passable |= is_passable(r, *name, vital[i].when_killed);
		}
		if (exists && !passable)
			return vital[i].names[0];
	}
	return NULL;
}

/* --- what is added ---------------------------------------------------------------------------- */

/* What the node's C library makes of a call that the node lacks; NULL-terminated, NULL if nothing.
 */
static const char *const *successors_of(const struct review *r, const char *name)
{
	size_t n;
	const struct seccomp_successor *rows = seccomp_successors(&n);

	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].call, name) && !seccomp_arch_has_call(r->host, name))
			return rows[i].made;
	return NULL;
}

/* A name that some rule is about stays under that rule: its author had a reason. */
static bool allow_call(struct review *r, const char *name)
{
	json *text;

	if (review_mentions(r, name) || !seccomp_arch_has_call(r->host, name))
		return true;
	r->changed = true;
	text = json_object_new_string(name);
	if (text && json_object_array_add(r->added, text) == 0)
		return review_mention(r, REVIEW_ALLOW, name);
	json_object_put(text);
	return false;
}

static bool allow(struct review *r, const char *name)
{
	const char *const *made = successors_of(r, name);

	for (; made && *made; made++)
		if (!allow_call(r, *made))
			return false;
	return allow_call(r, name);
}

static bool is_own_need(const char *name)
{
	for (const char *const *need = seccomp_baseline(); *need; need++)
		if (str_eq(*need, name))
			return true;
	return false;
}

static bool is_allowed_for_guest(const struct review *r, const char *name)
{
	return review_is(r, REVIEW_ALLOW, name) && review_guest_has(r, name);
}

static bool allow_successors(struct review *r)
{
	size_t n;
	const struct seccomp_successor *rows = seccomp_successors(&n);

	for (size_t i = 0; i < n; i++)
		if (is_allowed_for_guest(r, rows[i].call) && !allow(r, rows[i].call))
			return false;
	return true;
}

static bool allow_all(struct review *r)
{
	size_t n;
	const struct seccomp_alias *aliases = seccomp_aliases(&n);

	for (size_t i = 0; i < n; i++)
		for (const char *const *node = aliases[i].node;
		     *node && is_allowed_for_guest(r, aliases[i].guest); node++)
			if (!allow(r, *node))
				return false;
	for (const char *const *name = seccomp_baseline(); *name; name++)
		if (!allow(r, *name))
			return false;
	return allow_successors(r);
}

static size_t place_in(json *names, const char *name)
{
	size_t i = 0;

	while (i < review_length(names) &&
	       !str_eq(review_text(json_object_array_get_idx(names, i)), name))
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
	enum review_kind kind = review_kind_of(rule);
	size_t n, since = notes_so_far(notes);
	const struct seccomp_alias *aliases = seccomp_aliases(&n);

	for (size_t i = 0; i < n && kind != REVIEW_ALLOW; i++) {
		const char *node = aliases[i].node[0];
		json *text;

		if (!aliases[i].same || review_mentions(r, node) ||
		    !seccomp_arch_has_call(r->host, node) ||
		    (kind != REVIEW_OTHER && is_own_need(node)) ||
		    place_in(names, aliases[i].guest) == review_length(names) ||
		    !review_guest_has(r, aliases[i].guest))
			continue;
		text = json_object_new_string(node);
		if (!text || json_object_array_add(names, text) < 0 ||
		    !review_mention(r, kind, node) ||
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
	return str_eq(review_text(json_member(object, action)), "SCMP_ACT_ERRNO") &&
	       json_object_get_int(json_member(object, errno_ret)) == ENOSYS;
}

/* Takes the name out of the rules that deny it with another answer. */
static bool drop_clone3(struct review *r)
{
	bool dropped = false;

	for (size_t i = review_length(r->rules); i-- > 0;) {
		json *rule = json_object_array_get_idx(r->rules, i);
		json *names = json_member(rule, "names");
		size_t at = place_in(names, "clone3");

		if (at == review_length(names) || answers_enosys(rule, "action", "errnoRet"))
			continue;
		dropped = true;
		if (review_length(names) == 1)
			json_object_array_del_idx(r->rules, i, 1);
		else
			json_object_array_del_idx(names, at, 1);
	}
	return dropped;
}

/* C libraries fall back to clone on ENOSYS only. */
static bool settle_clone3(struct review *r, struct buf *notes)
{
	bool unnamed = r->unnamed != REVIEW_ALLOW && r->unnamed != REVIEW_OTHER &&
		       !review_mentions(r, "clone3") &&
		       !answers_enosys(r->profile, "defaultAction", "defaultErrnoRet");
	bool dropped = review_denies(r, "clone3") && !review_is(r, REVIEW_OTHER, "clone3") &&
		       drop_clone3(r);

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

	if (!review_length(list) || !r->host->seccomp || review_lists(r->profile, r->host))
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
	size_t n = review_length(r->added);

	for (size_t i = 0; i < n; i++)
		if (!note(notes, i ? " " : "allowed as well: ",
			  review_text(json_object_array_get_idx(r->added, i))))
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
		const char *what = review_denies(r, *name)	       ? " (denied)"
				   : review_is(r, REVIEW_OTHER, *name) ? " (by its arguments)"
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

/* A rule about a guest's name for a call that the node knows, and lets through, as another. */
static bool is_without_effect(const struct review *r, const char *guest, const char *node)
{
	bool ruled = review_denies(r, guest) || review_is(r, REVIEW_OTHER, guest);

	return ruled && review_guest_has(r, guest) && !review_denies(r, node) &&
	       !review_is(r, REVIEW_OTHER, node) &&
	       (review_is(r, REVIEW_ALLOW, node) || r->unnamed == REVIEW_ALLOW);
}

/* @since is where the notes about such rules begin. */
static bool note_loss(struct review *r, struct buf *notes, size_t since, const char *guest,
		      const char *node)
{
	r->lossy = true;
	return note(notes,
		    notes_so_far(notes) == since
			    ? "not kept, for the node knows the call by a name that is allowed: "
			    : ", ",
		    guest) &&
	       note(notes, " as ", node);
}

static bool note_without_effect(struct review *r, struct buf *notes)
{
	size_t n, since = notes_so_far(notes);
	const struct seccomp_alias *aliases = seccomp_aliases(&n);
	const struct seccomp_successor *rows;

	for (size_t i = 0; i < n; i++)
		if (is_without_effect(r, aliases[i].guest, aliases[i].node[0]) &&
		    !note_loss(r, notes, since, aliases[i].guest, aliases[i].node[0]))
			return false;
	rows = seccomp_successors(&n);
	for (size_t i = 0; i < n; i++)
		if (!seccomp_arch_has_call(r->host, rows[i].call) &&
		    is_without_effect(r, rows[i].call, rows[i].made[0]) &&
		    !note_loss(r, notes, since, rows[i].call, rows[i].made[0]))
			return false;
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
	bool restricts = r->unnamed == REVIEW_DENY || r->unnamed == REVIEW_KILL;
	size_t n = review_length(r->rules);

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
