/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The long form of each code of the one-line diagnosis: the cause, how it is found out, and what
 * can be done. A unit test checks that this table and the one in runtime/plan have the same codes.
 */
struct explanation {
	const char *code;
	bool warning;	     /* the container starts nevertheless */
	const char *summary; /* a few words, for the list of codes */
	const char *cause, *detection;
	const char *remedies; /* one a line */
};

/* The code of a failure that comes before any runtime is asked; the message is containerd's. */
#define EXPLAIN_NO_MATCH "no-match-for-platform"

/*
 * What fails before crossarch is asked has no line of ours: it is known by words of its message.
 */
struct explained_message {
	const char *words;
	struct explanation explanation;
};

/* Static storage. */
const struct explained_message *explained_messages(size_t *ret_n);

/* All of them, in the order people should read them. Static storage. */
const struct explanation *explanations(size_t *ret_n);

/* That of @code; NULL when there is none. */
const struct explanation *explanation_of(const char *code);
