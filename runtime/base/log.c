/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/logfmt.h"
#include "runtime/base/mem.h"
#include "runtime/base/traceparent.h"

/* No more than PIPE_BUF, or lines of several writers would mix. */
#define LINE_BYTES 4096
/* A diagnosis whole, also with quotes in it. */
#define MESSAGE_BYTES 1700

static enum log_level current_level = LOG_INFO;

/* Here and below no pointers: they would be memory of each process's own. */
static const char level_names[][8] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

/* In the order in which they are written: what is long comes last and is cut first. */
enum field {
	FIELD_TIME,
	FIELD_LEVEL,
	FIELD_MSG,
	FIELD_RUNTIME,
	FIELD_NAMESPACE,
	FIELD_SANDBOX,
	FIELD_ID,
	FIELD_EXEC,
	FIELD_TRACE,
	FIELD_SPAN,
	FIELD_VERDICT,
	FIELD_CODE,
	FIELD_PLATFORM,
	FIELD_HANDLER,
	FIELD_ENGINE,
	FIELD_PROGRAM,
	FIELD_ERROR,
	FIELD_N,
};

static const struct {
	char name[12];
	uint16_t max; /* bytes of its value */
} fields[FIELD_N] = {
	[FIELD_TIME] = { "time", 40 },
	[FIELD_LEVEL] = { "level", 8 },
	[FIELD_MSG] = { "msg", MESSAGE_BYTES },
	[FIELD_RUNTIME] = { "runtime", 40 },
	[FIELD_NAMESPACE] = { "namespace", 100 },
	[FIELD_SANDBOX] = { "sandbox_id", 100 },
	[FIELD_ID] = { "id", 100 },
	[FIELD_EXEC] = { "exec_id", 100 },
	[FIELD_TRACE] = { "trace_id", TRACE_ID_LEN },
	[FIELD_SPAN] = { "span_id", SPAN_ID_LEN },
	[FIELD_VERDICT] = { "verdict", 20 },
	[FIELD_CODE] = { "code", 40 },
	[FIELD_PLATFORM] = { "platform", 60 },
	[FIELD_HANDLER] = { "handler", 100 },
	[FIELD_ENGINE] = { "engine", 260 },
	[FIELD_PROGRAM] = { "program", 400 },
	[FIELD_ERROR] = { "error", 1000 },
};

const char *log_field_name(size_t i)
{
	return i < FIELD_N ? fields[i].name : NULL;
}

void log_set_level(enum log_level level)
{
	current_level = level;
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(level_names); i++) {
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

static void format_time(char *ret, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(ret, size, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret + n, size - n, ".%09ldZ", now.tv_nsec);
}

static void add_fields(struct logfmt *line, const char *const values[FIELD_N])
{
	for (size_t i = 0; i < FIELD_N; i++)
		logfmt_add(line, fields[i].name, values[i], fields[i].max);
}

static void write_line(enum log_level level, const struct log_subject *about,
		       const struct log_fields *f, const char *message)
{
	struct trace trace = { .trace_id = "" };
	bool traced = about->traceparent && traceparent_parse(about->traceparent, &trace);
	char room[LINE_BYTES], now[40];
	struct logfmt line = { room, sizeof(room) - 1, 0 };
	const char *const values[FIELD_N] = {
		[FIELD_TIME] = now,
		[FIELD_LEVEL] = level_names[level],
		[FIELD_MSG] = message,
		[FIELD_RUNTIME] = "io.containerd.crossarch.v2",
		[FIELD_NAMESPACE] = about->namespace,
		[FIELD_SANDBOX] = about->sandbox,
		[FIELD_ID] = about->id,
		[FIELD_EXEC] = about->exec_id,
		[FIELD_TRACE] = traced ? trace.trace_id : NULL,
		[FIELD_SPAN] = traced ? trace.span_id : NULL,
		[FIELD_VERDICT] = f->verdict,
		[FIELD_CODE] = f->code,
		[FIELD_PLATFORM] = f->platform,
		[FIELD_HANDLER] = f->handler,
		[FIELD_ENGINE] = f->engine,
		[FIELD_PROGRAM] = f->program,
		[FIELD_ERROR] = f->error,
	};

	format_time(now, sizeof(now));
	add_fields(&line, values);
	room[line.n++] = '\n';
	if (write(STDERR_FILENO, room, line.n) < 0)
		return;
}

void log_write(enum log_level level, struct log_subject about, const struct log_fields *f,
	       const char *fmt, ...)
{
	static const struct log_fields none = { .code = NULL };
	/* Longer than a message may be, so that one that does not fit is cut where it is quoted. */
	char message[MESSAGE_BYTES + 8];
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	write_line(level, &about, f ? f : &none, message);
}
