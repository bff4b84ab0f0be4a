/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/oci/wrapper.h"

/* `words` split at blanks, and the word that is the command; NULL: none, or not certain. */
static const struct row {
	const char *words, *command;
} rows[] = {
	{ "/sbin/tini -- /app x", "/app" },
	{ "/tini /app", "/app" },
	{ "tini -g -vv -- /app", "/app" },
	{ "tini -p SIGTERM /app", "/app" },
	{ "tini -e 143 -s -- /app", "/app" },
	{ "tini", NULL },
	{ "tini --", NULL },
	{ "tini --version", NULL },
	{ "dumb-init /app", "/app" },
	{ "dumb-init -c -- /app", "/app" },
	{ "dumb-init --single-child -- /app", "/app" },
	{ "dumb-init --rewrite 15:3 /app", NULL },
	{ "dumb-init --rewrite=15:3 /app", "/app" },
	{ "dumb-init -r 15:3 -- /app", "/app" },
	{ "catatonit -g -- /app", "/app" },
	{ "gosu postgres /app -x", "/app" },
	{ "gosu --version", NULL },
	{ "gosu nobody", NULL },
	{ "su-exec 1000:1000 /app", "/app" },
	{ "s6-setuidgid abc /app", "/app" },
	{ "s6-applyuidgid -u 1000 -g 1000 /app", "/app" },
	{ "env /app", "/app" },
	{ "/usr/bin/env A=b C=d /app -x", "/app" },
	{ "env -i -u HOME -- A=b /app", "/app" },
	{ "env -C /srv /app", "/app" },
	{ "env A=b", NULL },
	{ "env -S /app -x", NULL },
	{ "timeout 5 /app", "/app" },
	{ "timeout -k 5 10 /app", "/app" },
	{ "timeout -s KILL 10s /app", "/app" },
	{ "timeout 5", NULL },
	{ "nice -n 5 /app", "/app" },
	{ "nohup /app", "/app" },
	{ "setsid -w /app", "/app" },
	{ "setpriv --no-new-privs --reuid=1000 /app", "/app" },
	{ "setpriv --reuid 1000 /app", NULL },
	{ "/init /app x", "/app" },
	{ "/init", NULL },
	{ "/sbin/init /app", NULL },
	{ "/app tini -- /other", NULL },
	{ "qemu-aarch64-static /app", NULL },
	{ "file /app", NULL },
};

static void commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char words[128];
		const char *args[16] = { NULL };
		size_t n = 0, at;

		(void)str_copy(words, sizeof(words), rows[i].words);
		for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
			args[n++] = w;
		at = wrapper_command(args);
		if (!rows[i].command != !at || (at && !str_eq(args[at], rows[i].command)))
			fail_msg("%s: %zu", rows[i].words, at);
	}
}

static void statuses(void **state)
{
	(void)state;
	assert_true(wrapper_fails_with("/sbin/tini", 1));
	assert_true(wrapper_fails_with("tini", 127));
	assert_false(wrapper_fails_with("tini", 0));
	assert_false(wrapper_fails_with("tini", 3));
	assert_true(wrapper_fails_with("gosu", 1));
	assert_false(wrapper_fails_with("gosu", 127));
	assert_true(wrapper_fails_with("/init", 111));
	assert_false(wrapper_fails_with("/app", 1));
	assert_false(wrapper_fails_with("env", 1));
}

static void shells(void **state)
{
	const char *plain[] = { "sh", "-c", "a b", NULL };
	const char *rest[] = { "/bin/bash", "-e", "-uc", "exec \"$@\"", "--", "/app", NULL };
	const char *script[] = { "sh", "/x.sh", "-c", NULL }, *none[] = { "cat", "-c", "x", NULL };
	const char *options[] = { "bash", "-e", "/x.sh", "/app", NULL };
	const char *odd[] = { "bash", "-o", "errexit", "/x.sh", NULL };
	size_t at;

	(void)state;
	assert_string_equal(wrapper_shell_text(plain, &at), "a b");
	assert_null(plain[at]);
	assert_string_equal(wrapper_shell_text(rest, &at), "exec \"$@\"");
	assert_string_equal(rest[at], "/app");
	assert_null(wrapper_shell_text(script, &at));
	assert_null(wrapper_shell_text(none, &at));
	assert_int_equal(wrapper_shell_script(script), 1);
	assert_int_equal(wrapper_shell_script(options), 2);
	assert_int_equal(wrapper_shell_script(odd), 0);
	assert_int_equal(wrapper_shell_script(plain), 0);
	assert_int_equal(wrapper_shell_script(none), 0);
}

/* Whom a text has start its arguments; "-" when it does not go on to them. */
static const char *starter_of(const char *text)
{
	const char *by;

	if (!wrapper_passes_on(text, strlen(text), &by))
		return "-";
	return by ? by : "";
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(starter_of("set -e\nexec \"$@\"\n"), "");
	assert_string_equal(starter_of("exec gosu postgres \"$@\""), "gosu");
	assert_string_equal(starter_of("gosu x true\nexec \"$@\"\n"), "");
	assert_string_equal(starter_of("exec /sbin/su-exec x \"$0\" \"$@\"\nexec \"$@\""),
			    "su-exec");
	assert_string_equal(starter_of("set -- x \"$@\"\n\texec\ttini -- \"${@}\""), "tini");
	assert_string_equal(starter_of("echo $1"), "-");
	assert_string_equal(starter_of(""), "-");
}

static bool sets_path(const char *text)
{
	return wrapper_sets(text, strlen(text), "PATH");
}

static void variables(void **state)
{
	(void)state;
	assert_true(sets_path("PATH=/x"));
	assert_true(sets_path("set -e\nexport PATH=/x:$PATH\n"));
	assert_true(sets_path("env PATH=/x y"));
	assert_false(sets_path("echo $PATH"));
	assert_false(sets_path("LD_LIBRARY_PATH=/x MANPATH=/y"));
	assert_false(sets_path("PATH"));
}

static void errors_end_it(void **state)
{
	static const char *const yes[] = { "set -e\n", "#!/bin/bash\nset -Eeuo pipefail\n",
					   "x; set -xe", "\tset -o errexit\n" };
	static const char *const no[] = { "set -u\n", "unset -e\n", "set -- -e\n", "set -",
					  "set -o pipefail\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!wrapper_stops(yes[i], strlen(yes[i])))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (wrapper_stops(no[i], strlen(no[i])))
			fail_msg("%s", no[i]);
	assert_true(wrapper_stops_by("-e"));
	assert_true(wrapper_stops_by("-Eeuo pipefail"));
	assert_false(wrapper_stops_by("-u"));
	assert_false(wrapper_stops_by("--noprofile"));
	assert_false(wrapper_stops_by(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands),  cmocka_unit_test(statuses),
		cmocka_unit_test(shells),    cmocka_unit_test(texts),
		cmocka_unit_test(variables), cmocka_unit_test(errors_end_it)
	};

	return cmocka_run_group_tests_name("wrapper", tests, NULL, NULL);
}
