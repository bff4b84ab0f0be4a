/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/environ.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/mem.h"

/* A name that ends in '_' stands for all that begin with it. */
static const char *const of_the_service[] = {
	/* notification, watchdog, stored and listening descriptors */
	"NOTIFY_SOCKET",
	"FDSTORE",
	"WATCHDOG_",
	"LISTEN_",
	/* who it is, and where its words go */
	"INVOCATION_ID",
	"SYSTEMD_EXEC_PID",
	"MAINPID",
	"MANAGERPID",
	"MANAGERPIDFDID",
	"PIDFILE",
	"JOURNAL_STREAM",
	"LOG_NAMESPACE",
	/* what it was given */
	"CREDENTIALS_DIRECTORY",
	"RUNTIME_DIRECTORY",
	"STATE_DIRECTORY",
	"CACHE_DIRECTORY",
	"LOGS_DIRECTORY",
	"CONFIGURATION_DIRECTORY",
	"MEMORY_PRESSURE_",
	/* why it runs, and how it or another unit ended */
	"REMOTE_ADDR",
	"REMOTE_PORT",
	"TRIGGER_",
	"SERVICE_RESULT",
	"EXIT_CODE",
	"EXIT_STATUS",
	"MONITOR_",
};

/* True when @variable ("NAME=value") is @name, or begins with it where that names a family. */
static bool is_named(const char *variable, const char *name)
{
	size_t n = strlen(name);

	return strncmp(variable, name, n) == 0 && (name[n - 1] == '_' || variable[n] == '=');
}

static bool is_of_the_service(const char *variable)
{
	for (size_t i = 0; i < ARRAY_SIZE(of_the_service); i++)
		if (is_named(variable, of_the_service[i]))
			return true;
	return false;
}

void environ_leave_service(void)
{
	char **to = environ;

	if (!environ)
		return;
	for (char **from = environ; *from; from++)
		if (!is_of_the_service(*from))
			*to++ = *from;
	*to = NULL;
}
