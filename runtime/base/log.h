/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * One line per record in logfmt on descriptor 2: time="..." level=info msg="..." key="value". For a
 * shim that descriptor is the FIFO `log` in the bundle, whose lines containerd copies to its own
 * log. A line that cannot be written is dropped: logging never blocks and never fails. The level is
 * the only mutable static state.
 */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* What is written from now on: @level and everything more severe. */
void log_set_level(enum log_level level);

/* The level named @name ("error", "warning", "info", "debug"); false when there is none. */
bool log_level_parse(const char *name, enum log_level *ret);

bool log_enabled(enum log_level level);

/* @id: the container the line is about, NULL when none. The message is quoted and escaped. */
__attribute__((format(printf, 3, 4))) void log_write(enum log_level level, const char *id,
						     const char *fmt, ...);

#define log_error(id, ...) log_write(LOG_ERROR, id, __VA_ARGS__)
#define log_warning(id, ...) log_write(LOG_WARNING, id, __VA_ARGS__)
#define log_info(id, ...) log_write(LOG_INFO, id, __VA_ARGS__)
#define log_debug(id, ...)                                     \
	do {                                                   \
		if (log_enabled(LOG_DEBUG))                    \
			log_write(LOG_DEBUG, id, __VA_ARGS__); \
	} while (0)
