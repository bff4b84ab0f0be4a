/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/process_variant.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/base/str.h"

/* What containerd gives a container whose image says nothing (pkg/oci/spec.go, defaultUnixEnv). */
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "no memory for the container's process");
}

/* --- arguments ------------------------------------------------------------------------------- */

static int add_all(json *list, const char *const *strings, struct err *err)
{
	for (; *strings; strings++) {
		json *item = json_object_new_string(*strings);

		if (!item || json_object_array_add(list, item) < 0) {
			json_object_put(item);
			return no_memory(err);
		}
	}
	return 0;
}

static int make_args(const struct cri_container *c, const struct image_process *image, json **ret,
		     struct err *err)
{
	CLEANUP_JSON json *list = json_object_new_array();
	bool own = *c->command;

	if (!list)
		return no_memory(err);
	if (add_all(list, own ? c->command : image->entrypoint, err) < 0 ||
	    add_all(list, own || *c->args ? c->args : image->cmd, err) < 0)
		return -1;
	*ret = steal(list);
	return 0;
}

/* Puts @value_take in the place of what is there, unless it is the same. */
static int replace(json *process, const char *key, json *value_take, bool *changed, struct err *err)
{
	CLEANUP_JSON json *value = value_take;

	if (json_object_equal(json_member(process, key), value))
		return 0;
	if (json_object_object_add(process, key, value) < 0)
		return no_memory(err);
	value = NULL;
	*changed = true;
	return 0;
}

static int change_args(const struct process_variant *v, json *process, bool *changed,
		       struct err *err)
{
	CLEANUP_JSON json *was = NULL;
	CLEANUP_JSON json *is = NULL;

	if (make_args(v->container, v->own, &was, err) < 0 ||
	    make_args(v->container, v->wanted, &is, err) < 0)
		return -1;
	if (!json_object_equal(json_member(process, "args"), was))
		return 0; /* somebody else, NRI for one, decided what runs */
	if (!json_object_array_length(is))
		return err_set(err, ERR_PRECONDITION,
			       "it names no program, and neither does the pod");
	return replace(process, "args", steal(is), changed, err);
}

/* --- environment ------------------------------------------------------------------------------ */

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strcspn(b, "=") == n && memcmp(a, b, n) == 0;
}

/* The last entry of @env about the same variable: of several, that one counts. */
static const char *find(const char *const *env, const char *entry)
{
	const char *found = NULL;

	for (; *env; env++)
		if (same_name(*env, entry))
			found = *env;
	return found;
}

static const char *entry_at(json *list, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(list, i));
}

static bool has_from(json *list, size_t i, const char *entry)
{
	for (; i < json_object_array_length(list); i++)
		if (entry_at(list, i) && same_name(entry_at(list, i), entry))
			return true;
	return false;
}

/*
 * What becomes of entry @i: itself, the other variant's, or NULL for nothing. CRI puts what the pod
 * sets behind what the image sets, and some of its versions leave both.
 */
static const char *entry_of(const struct process_variant *v, json *list, size_t i)
{
	const char *entry = entry_at(list, i), *was = find(v->own->env, entry), *is;

	if (cri_container_sets(v->container, entry) && !has_from(list, i + 1, entry))
		return entry;
	if (str_eq(entry, DEFAULT_PATH) && !was)
		was = entry;
	if (!was || !str_eq(was, entry))
		return entry;
	is = find(v->wanted->env, entry);
	return is ? is : same_name(entry, "PATH=") ? DEFAULT_PATH : NULL;
}

static bool is_of_image(const struct process_variant *v, json *list, size_t i)
{
	const char *entry = entry_at(list, i), *was = entry ? find(v->own->env, entry) : NULL;

	return was && str_eq(was, entry);
}

/* How many entries at the front the image's are among. */
static size_t image_entries(const struct process_variant *v, json *list)
{
	size_t n = list ? json_object_array_length(list) : 0;

	while (n && !is_of_image(v, list, n - 1))
		n--;
	return n;
}

static int add_one(json *list, const char *entry, struct err *err)
{
	const char *const one[] = { entry, NULL };

	return entry ? add_all(list, one, err) : 0;
}

/* What becomes of the entries of @old from @from on to @to. */
static int add_entries(const struct process_variant *v, json *list, json *old, size_t from,
		       size_t to, struct err *err)
{
	for (size_t i = from; i < to; i++)
		if (entry_at(old, i) && add_one(list, entry_of(v, old, i), err) < 0)
			return -1;
	return 0;
}

/* The wanted variant's variables that are in neither list. */
static int add_new(const struct process_variant *v, json *list, json *old, struct err *err)
{
	for (const char *const *e = v->wanted->env; *e; e++)
		if (!(old && has_from(old, 0, *e)) && !has_from(list, 0, *e) &&
		    add_one(list, find(v->wanted->env, *e), err) < 0)
			return -1;
	return 0;
}

/* In CRI's order: the image's variables come before the pod's. */
static int change_env(const struct process_variant *v, json *process, bool *changed,
		      struct err *err)
{
	CLEANUP_JSON json *list = json_object_new_array();
	size_t of_image, n;
	json *old;

	if (!list)
		return no_memory(err);
	if (json_typed(process, "env", json_type_array, &old, err) < 0)
		return -1;
	n = old ? json_object_array_length(old) : 0;
	of_image = image_entries(v, old);
	if (add_entries(v, list, old, 0, of_image, err) < 0 || add_new(v, list, old, err) < 0 ||
	    add_entries(v, list, old, of_image, n, err) < 0)
		return -1;
	return replace(process, "env", steal(list), changed, err);
}

/* --- working directory ------------------------------------------------------------------------ */

static const char *or_root(const char *cwd)
{
	return *cwd ? cwd : "/";
}

static int change_cwd(const struct process_variant *v, json *process, bool *changed,
		      struct err *err)
{
	const char *now;
	json *cwd;

	if (json_text(process, "cwd", "/", &now, err) < 0)
		return -1;
	if (*v->container->cwd || !str_eq(now, or_root(v->own->cwd)))
		return 0;
	cwd = json_object_new_string(or_root(v->wanted->cwd));
	return cwd ? replace(process, "cwd", cwd, changed, err) : no_memory(err);
}

int process_variant_apply(const struct process_variant *v, json *spec, bool *ret_changed,
			  struct err *err)
{
	json *process;

	*ret_changed = false;
	if (json_typed(spec, "process", json_type_object, &process, err) < 0)
		return -1;
	if (!process)
		return err_set(err, ERR_INVALID, "the container's specification has no process");
	if (change_args(v, process, ret_changed, err) < 0 ||
	    change_env(v, process, ret_changed, err) < 0)
		return -1;
	return change_cwd(v, process, ret_changed, err);
}

/* --- user ------------------------------------------------------------------------------------- */

/* An image's user without its group, which the kubelet leaves out; root's number for none. */
static void plain_user(const char *user, char *ret, size_t size)
{
	int n = (int)strcspn(user, ":");

	(void)str_fmt(ret, size, "%.*s", n ? n : 1, n ? user : "0");
}

/* The user in the pod's request; "" for none. */
static void asked_user(const struct cri_container *c, char *ret, size_t size)
{
	ret[0] = '\0';
	if (*c->username)
		(void)str_copy(ret, size, c->username);
	else if (c->has_user)
		(void)str_fmt(ret, size, "%" PRId64, c->user);
}

void process_variant_user(const struct process_variant *v, char ret[static PROCESS_USER_MAX])
{
	const struct cri_container *c = v->container;
	char own[PROCESS_USER_MAX], user[PROCESS_USER_MAX], group[32] = "";

	plain_user(v->own->user, own, sizeof(own));
	asked_user(c, user, sizeof(user));
	if (!*user) {
		(void)str_copy(ret, PROCESS_USER_MAX, *v->wanted->user ? v->wanted->user : "0");
		return;
	}
	if (str_eq(user, own))
		plain_user(v->wanted->user, user, sizeof(user));
	if (c->has_group)
		(void)str_fmt(group, sizeof(group), ":%" PRId64, c->group);
	(void)str_fmt(ret, PROCESS_USER_MAX, "%.200s%s", user, group);
}

/* --- what cannot be changed ------------------------------------------------------------------- */

int process_variant_notes(const struct process_variant *v, struct buf *notes, struct err *err)
{
	if (!str_eq(v->own->stop_signal, v->wanted->stop_signal) &&
	    buf_printf(
		    notes, err,
		    "its stop signal is \"%.40s\", but the one of this node's variant, \"%.40s\", "
		    "will be sent\n",
		    v->wanted->stop_signal, v->own->stop_signal) < 0)
		return -1;
	if (!v->own->volumes || !json_object_object_length(v->own->volumes))
		return 0;
	return buf_printf(
		notes, err,
		"the volumes that the image declares were filled from this node's variant\n");
}
