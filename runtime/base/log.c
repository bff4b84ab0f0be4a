/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static enum log_level current_level = LOG_INFO;

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
	current_level = level;
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	for (unsigned int i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return level <= current_level;
}

/* Appends @s quoted; leaves room for the closing quote and the line's end. */
static size_t add_quoted(char *line, size_t n, const char *s)
{
	line[n++] = '"';
	for (; *s && n < LINE_MAX_BYTES - 64; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			line[n++] = '\\';
		line[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
	}
	line[n++] = '"';
	return n;
}

static size_t add_time(char *line)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, 64, "time=\"%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(line + n, 32, ".%09ldZ\"", now.tv_nsec);
}

void log_write(enum log_level level, const char *id, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES - 512], line[LINE_MAX_BYTES];
	va_list ap;
	size_t n;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = add_time(line);
	n += (size_t)snprintf(line + n, 64, " level=%s msg=", level_names[level]);
	n = add_quoted(line, n, text);
	n += (size_t)snprintf(line + n, 40, " runtime=io.containerd.crossarch.v2");
	if (id && strlen(id) < 128) {
		n += (size_t)snprintf(line + n, 8, " id=");
		n = n < LINE_MAX_BYTES - 200 ? add_quoted(line, n, id) : n;
	}
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
