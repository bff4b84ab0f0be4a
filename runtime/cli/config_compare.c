/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/config_compare.h"

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/containerd_process.h"

/* True when the lines of @text contain @n bytes @line as a whole line. */
static bool has_line(const char *text, const char *line, size_t n)
{
	const char *at;
	size_t length;

	while (str_line(&text, &at, &length))
		if (length == n && memcmp(at, line, n) == 0)
			return true;
	return false;
}

/*
 * Tables, values that mean "not set" or are what is meant when nothing is set, and the list of
 * files read, which names this one.
 */
static bool says_nothing(const char *line, size_t n)
{
	static const char *const unset[] = { "= \"\"",	      "= ''", "= 0",
					     "= false",	      "= []", "= \"podsandbox\"",
					     "= 'podsandbox'" };
	size_t indent = strspn(line, " ");

	if (indent >= n || line[indent] == '[' || str_after(line, "imports"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++) {
		size_t m = strlen(unset[i]);

		if (n > m && memcmp(line + n - m, unset[i], m) == 0)
			return true;
	}
	return false;
}

static int check_runtimes(const struct containerd_config *before,
			  const struct containerd_config *after, struct err *err)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct runtime_handler *old = &before->runtimes[i];
		const struct runtime_handler *new = handler_named(after, old->name);

		if (old->type[0] && !handler_is_ours(old) &&
		    (!new || !str_eq(new->type, old->type) || !str_eq(new->path, old->path)))
			return err_set(err, ERR_PRECONDITION, "the runtime %s would be lost",
				       old->name);
	}
	return 0;
}

static bool is_default(const char *line, size_t n)
{
	static const char key[] = "default_runtime_name";

	return memmem(line, n, key, strlen(key));
}

static bool mentions_us(const char *line, size_t n)
{
	static const char *const words[] = { "io.crossarch.", CONTAINERD_TYPE, CONTAINERD_SHIM };

	if (is_default(line, n) && memmem(line, n, HANDLER_NAME, strlen(HANDLER_NAME)))
		return true;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(line, n, words[i], strlen(words[i])))
			return true;
	return false;
}

/* Nothing of the effective configuration before may be missing afterwards, but what is ours. */
static int check_settings(const char *before, const char *after, bool new_default, struct err *err)
{
	bool in_our_table = false;
	const char *line;
	size_t n;

	while (str_line(&before, &line, &n)) {
		if (n > strspn(line, " ") && line[strspn(line, " ")] == '[')
			in_our_table = memmem(line, n, "." HANDLER_NAME, strlen("." HANDLER_NAME));
		if (!in_our_table && !says_nothing(line, n) && !mentions_us(line, n) &&
		    !(new_default && is_default(line, n)) && !has_line(after, line, n))
			return err_set(err, ERR_PRECONDITION,
				       "this setting would be lost: %.*s. Another file that the "
				       "main one imports probably replaces its tables",
				       (int)(n - strspn(line, " ")), line + strspn(line, " "));
	}
	return 0;
}

int config_compare(const struct config_said *before, const struct config_said *after,
		   bool new_default, struct err *err)
{
	if (check_runtimes(before->config, after->config, err) < 0)
		return -1;
	return check_settings(before->dump, after->dump, new_default, err);
}
