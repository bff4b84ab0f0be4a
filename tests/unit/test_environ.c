/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/environ.h"

/* What stays, in the order it was in. */
static void expect(char **given, const char *const *wanted)
{
	char **own = environ;
	size_t n = 0;

	environ = given;
	environ_leave_service();
	environ = own;
	for (; wanted[n]; n++) {
		assert_non_null(given[n]);
		assert_string_equal(given[n], wanted[n]);
	}
	assert_null(given[n]);
}

static void test_service_only(void **state)
{
	char *given[] = { "NOTIFY_SOCKET=/run/systemd/notify",
			  "LISTEN_FDS=2",
			  "LISTEN_PIDFDID=9",
			  "WATCHDOG_USEC=1",
			  "INVOCATION_ID=0",
			  "CREDENTIALS_DIRECTORY=/run/c",
			  "MEMORY_PRESSURE_WATCH=/x",
			  "JOURNAL_STREAM=8:1",
			  NULL };
	const char *const wanted[] = { NULL };

	(void)state;
	expect(given, wanted);
}

static void test_rest_stays(void **state)
{
	char *given[] = { "PATH=/bin",
			  "NOTIFY_SOCKET=",
			  "HTTPS_PROXY=http://p",
			  "LISTEN_PID=1",
			  "XDG_RUNTIME_DIR=/run/user/0",
			  NULL };
	const char *const wanted[] = { "PATH=/bin", "HTTPS_PROXY=http://p",
				       "XDG_RUNTIME_DIR=/run/user/0", NULL };

	(void)state;
	expect(given, wanted);
}

/* Names that only begin like one, or lack their '=', are somebody else's. */
static void test_look_alikes(void **state)
{
	char *given[] = { "NOTIFY_SOCKETS=1",	"NOTIFY_SOCKET", "LISTEN=1", "MAINPIDS=2",
			  "MY_NOTIFY_SOCKET=3", "EXIT_CODES=4",	 "",	     NULL };
	const char *const wanted[] = {
		"NOTIFY_SOCKETS=1",   "NOTIFY_SOCKET", "LISTEN=1", "MAINPIDS=2",
		"MY_NOTIFY_SOCKET=3", "EXIT_CODES=4",  "",	   NULL
	};

	(void)state;
	expect(given, wanted);
}

static void test_empty(void **state)
{
	char *given[] = { NULL };
	const char *const wanted[] = { NULL };

	(void)state;
	expect(given, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service_only),
		cmocka_unit_test(test_rest_stays),
		cmocka_unit_test(test_look_alikes),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
