/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * What the doctor finds: a list of statements about the node, each with what to do where it is not
 * fine. Every examination appends to the list and never fails: what cannot be found out is a
 * finding as well.
 */
enum grade {
	GRADE_INFO, /* a fact, neither good nor bad */
	GRADE_GOOD,
	GRADE_WARN,
	GRADE_BAD, /* makes the exit status 1 */
};

struct finding {
	const char *section; /* static storage */
	char name[32];
	char value[400];
	char fix[400]; /* "" where nothing is to be done */
	enum grade grade;
};

#define FINDINGS_MAX 96

struct findings {
	struct finding list[FINDINGS_MAX];
	size_t n;
	const char *section; /* of those to come */
};

/* Appends one; beyond FINDINGS_MAX it is dropped. The fix follows with fix(). */
__attribute__((format(printf, 4, 5))) void found(struct findings *f, enum grade grade,
						 const char *name, const char *fmt, ...);

/* What to do about the finding appended last. */
__attribute__((format(printf, 2, 3))) void fix(struct findings *f, const char *fmt, ...);

size_t findings_count(const struct findings *f, enum grade grade);

/* What JSON and pages call a grade: "info", "ok", "warning", "problem". */
const char *grade_word(enum grade grade);

/* The whole in a few words: "All well", "1 problem, 2 warnings". */
void findings_summary(const struct findings *f, char *text, size_t size);

/* Prints them for a person, with a summary, or as JSON. */
void findings_print(const struct findings *f);
void findings_print_json(const struct findings *f);
