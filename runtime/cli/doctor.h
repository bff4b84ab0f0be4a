/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

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

/* The node configuration in @path, NULL for the default one, read as every Create reads it. */
void doctor_settings(struct findings *f, const char *path);

/* The examinations, in this order; the last one uses gRPC, after which nothing may fork. */
void doctor_node(struct findings *f);
void doctor_emulators(struct findings *f);
void doctor_engines(struct findings *f, const char *socket); /* in the PATH of containerd */
void doctor_containerd(struct findings *f, const char *socket);
