/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * One line per record on descriptor 2, in logfmt (logfmt.h): time, level, msg, and then fields,
 * whose names are the same in every line and stay what they are (the manual page of the shim lists
 * them). For a shim that descriptor is the FIFO `log` in the bundle, whose lines containerd copies
 * to its own log. A line that cannot be written is dropped: logging never blocks and never fails,
 * and a line is written whole or not at all. The level is the only mutable static state.
 */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* What a line is about; NULL or "": nothing, or not known. Not kept. */
struct log_subject {
	const char *namespace; /* of containerd */
	const char *sandbox;   /* the pod: the id that its shim was started for */
	const char *id;	       /* container */
	const char *exec_id;
	const char *traceparent; /* of the request because of which it is written */
};
#define LOG_NOTHING ((struct log_subject){ .id = NULL })

/* What a line says in fields of their own; NULL or "": nothing. */
struct log_fields {
	const char *code;    /* of "crossarch[CODE]: ..." */
	const char *verdict; /* runtime/base/outcomes.h */
	const char *error;
	const char *platform; /* of the program that runs or would run */
	const char *handler;  /* entry of binfmt_misc */
	const char *engine;   /* path */
	const char *program;  /* as the person wrote it */
};

/* What is written from now on: @level and everything more severe. */
void log_set_level(enum log_level level);

/* The level named @name ("error", "warning", "info", "debug"); false when there is none. */
bool log_level_parse(const char *name, enum log_level *ret);

bool log_enabled(enum log_level level);

/* @fields may be NULL. Nothing that is handed in has to be clean. */
__attribute__((format(printf, 4, 5))) void log_write(enum log_level level, struct log_subject about,
						     const struct log_fields *fields,
						     const char *fmt, ...);

#define LOG_FIELDS(...) (&(const struct log_fields){ __VA_ARGS__ })

#define log_error(about, ...) log_write(LOG_ERROR, about, NULL, __VA_ARGS__)
#define log_warning(about, ...) log_write(LOG_WARNING, about, NULL, __VA_ARGS__)
#define log_info(about, ...) log_write(LOG_INFO, about, NULL, __VA_ARGS__)
#define log_debug(about, ...) log_write(LOG_DEBUG, about, NULL, __VA_ARGS__)

/* The name of the field with that number, from 0 on; NULL behind the last one. */
const char *log_field_name(size_t i);
