/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/engine_log.h"

#include <string.h>

#include "runtime/base/str.h"
#include "runtime/oci/json.h"
#include "runtime/plan/line_text.h"

/* As one line: runc has the name of criu's log on a second one. */
static void add_words(struct text *out, const char *msg)
{
	CLEANUP_FREE char *copy = strdup(msg);

	if (!copy)
		return;
	for (char *p = strchr(copy, '\n'); p; p = strchr(p, '\n'))
		*p = ' ';
	text_name(out, copy, ENGINE_MESSAGE_MAX - 1);
}

/* The message of one JSON entry that is an error; NULL with *@ret_json false for other text. */
static bool error_of_line(const char *line, size_t n, char message[ENGINE_MESSAGE_MAX],
			  bool *ret_json)
{
	CLEANUP_JSON json *j = NULL;
	const char *level, *msg;
	struct text out;
	struct err err;

	*ret_json = n && line[0] == '{' && json_parse(line, n, "log line", &j, &err) == 0;
	if (!*ret_json || json_text(j, "level", "error", &level, &err) < 0 ||
	    json_text(j, "msg", "", &msg, &err) < 0 || !*msg)
		return false;
	if (!str_eq(level, "error") && !str_eq(level, "fatal"))
		return false;
	text_init(&out, message, ENGINE_MESSAGE_MAX);
	add_words(&out, msg);
	return true;
}

static void copy_line(const char *line, size_t n, char message[ENGINE_MESSAGE_MAX])
{
	char copy[ENGINE_MESSAGE_MAX];
	struct text out;

	(void)str_fmt(copy, sizeof(copy), "%.*s", (int)n, line);
	text_init(&out, message, ENGINE_MESSAGE_MAX);
	text_name(&out, copy, ENGINE_MESSAGE_MAX - 1);
}

#define NO_CRIU_IN_CRUN                                                                         \
	"this crun was built without criu (\"crun --version\" shows no +CRIU): checkpoint and " \
	"restore need another one, or \"engine\": \"runc\""

/* Words of an engine that leave a person alone, and what they need to know. */
static const struct {
	const char *words, *hint;
} hints[] = {
	{ "unknown command checkpoint", NO_CRIU_IN_CRUN },
	{ "unknown command restore", NO_CRIU_IN_CRUN },
	{ "could not load `libcriu.so",
	  "crun needs criu's library for checkpoint and restore: apt-get install libcriu2" },
	{ "unknown version specified",
	  "this crun is older than the OCI version that containerd 1.7 and later write into "
	  "config.json: install a newer crun, or set \"engine\": \"runc\"" },
};

const char *engine_log_hint(const char *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (strstr(message, hints[i].words))
			return hints[i].hint;
	return NULL;
}

/*
 * Length of the entry at @p: a line, or where an object begins with a brace on a line of its own,
 * as crun has it since json-c writes it, all lines up to the brace that ends it.
 */
static size_t entry_length(const char *p)
{
	const char *end = strncmp(p, "{\n", 2) == 0 ? strstr(p, "\n}") : NULL;

	return end && (!end[2] || end[2] == '\n') ? (size_t)(end + 2 - p) : strcspn(p, "\n");
}

bool engine_log_last_error(const char *text, char message[ENGINE_MESSAGE_MAX])
{
	const char *last = NULL;
	bool found = false;
	size_t last_n = 0;

	for (const char *p = text; *p; p += *p == '\n') {
		size_t n = entry_length(p);
		bool is_json;

		if (error_of_line(p, n, message, &is_json)) {
			found = true;
		} else if (!is_json && strspn(p, " \t\r") < n) {
			last = p;
			last_n = n;
		}
		p += n;
	}
	if (!found && last) {
		copy_line(last, last_n, message);
		found = true;
	}
	return found;
}
