/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/plan/facts.h"
#include "runtime/plan/line_text.h"
#include "runtime/plan/plan.h"

/* What the placeholders of a cause's texts draw on. */
struct sentence {
	const struct facts *f;
	const struct plan *p;
	struct text *out;
};

#define NAME_MAX_BYTES 80 /* of one file in a sentence */

/* A {name} in a text, and what it becomes. */
struct placeholder {
	const char *name;
	void (*put)(struct sentence *s);
};

/* Those that say what is there, and those that say what to do; static storage. */
const struct placeholder *describe_placeholders(size_t *ret_n);
const struct placeholder *fix_placeholders(size_t *ret_n);

/* Parts of sentences that both need. */
void put_program(struct sentence *s);
void put_declared(struct sentence *s);
void put_enabled(struct sentence *s);

/* The language of the program, when it is a text of a known one. */
const struct language *sentence_language(const struct sentence *s);
