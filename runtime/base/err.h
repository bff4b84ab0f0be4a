/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The error value. A caller owns one on its stack and passes it last; a callee that fails fills it
 * and returns -1. Nothing is allocated. The code is chosen where the failure is first understood
 * and never changes on the way up: callers only put context in front of the text.
 */

enum err_code {
	ERR_NONE,
	ERR_INVALID,	  /* the request or input is malformed */
	ERR_NOT_FOUND,	  /* the named object does not exist */
	ERR_EXISTS,	  /* the name is taken */
	ERR_PRECONDITION, /* the object is not in a state that allows it, or a diagnosis refuses it
			   */
	ERR_UNSUPPORTED,  /* understood, and deliberately not offered */
	ERR_LIMIT,	  /* one of our own hard maxima */
	ERR_TIMEOUT,	  /* a bound in time passed */
	ERR_IO,		  /* a system call failed */
	ERR_ENGINE,	  /* runc or crun reported a failure */
	ERR_UNAVAILABLE,  /* not yet: the same may succeed a little later */
	ERR_NOMEM,	  /* no memory for this one request */
};

/* Room for a whole diagnosis line (at most 900 bytes) plus a prefix. */
#define ERR_TEXT_MAX 1016

struct err {
	enum err_code code;
	int errnum; /* errno at the failure, 0 where none applies */
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT                 \
	{                        \
		.code = ERR_NONE \
	}
#define MUST_CHECK __attribute__((warn_unused_result))

/* Fills @err with @code and a formatted one-line text; always returns -1. */
__attribute__((format(printf, 3, 4))) int err_set(struct err *err, enum err_code code,
						  const char *fmt, ...);

/* As err_set(), then ": " and the text of the current errno, which is kept in errnum. */
__attribute__((format(printf, 3, 4))) int err_sys(struct err *err, enum err_code code,
						  const char *fmt, ...);

/* Puts "context: " in front of the text that is there; always returns -1. */
__attribute__((format(printf, 2, 3))) int err_in(struct err *err, const char *fmt, ...);

/* For analysers, which look into one source at a time and would have to believe that sentence. */
#if defined(ERR_ANALYSED) && !defined(ERR_DEFINES)
#define err_set(...) (err_set(__VA_ARGS__), -1)
#define err_sys(...) (err_sys(__VA_ARGS__), -1)
#define err_in(...) (err_in(__VA_ARGS__), -1)
#endif

/* The code's name in lower case, for logs ("not-found"). Static storage. */
const char *err_code_name(enum err_code code);
