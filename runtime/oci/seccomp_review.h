/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/arch/table.h"
#include "runtime/base/mem.h"
#include "runtime/oci/json.h"

/* A seccomp profile as its rules say it, call by call: what seccomp.c judges and changes. */

/* What a rule does with the calls it names. */
enum review_kind {
	REVIEW_ALLOW,
	REVIEW_DENY,  /* without looking at arguments */
	REVIEW_KILL,  /* the same, and the process or thread dies or gets SIGSYS */
	REVIEW_OTHER, /* decides by arguments, or leaves it to another process */
};

/* A profile under review. Objects serve as sets of names. */
struct review {
	json *profile;
	json *rules;		  /* profile.syscalls, not owned; NULL without */
	json *kinds[4];		  /* enum review_kind: the names of such rules */
	json *added;		  /* array: names to allow as well, in order */
	enum review_kind unnamed; /* what happens to calls no rule names */
	const struct arch *host, *guest;
	bool changed, lossy;
};

/*
 * What @profile, which has to outlive the review, says on such a node to the emulator of such a
 * guest. False without memory.
 */
MUST_CHECK bool review_init(struct review *r, json *profile, const struct arch *host,
			    const struct arch *guest);
void review_deinit(struct review *r);
#define CLEANUP_REVIEW CLEANUP(review_deinit)

/* A string and the length of a list; of a value of another type "" and 0. */
const char *review_text(json *value);
size_t review_length(json *list);

enum review_kind review_kind_of(json *rule);

/* Is there a rule of that kind about the call, one that denies it in any way, any at all? */
bool review_is(const struct review *r, enum review_kind kind, const char *name);
bool review_denies(const struct review *r, const char *name);
bool review_mentions(const struct review *r, const char *name);

/* From now on there is one. False without memory. */
MUST_CHECK bool review_mention(struct review *r, enum review_kind kind, const char *name);

/* True when the list of architectures names @a. */
bool review_lists(json *profile, const struct arch *a);

/* The guest has such a call, or a smaller sister of it that the profile was written for as well. */
bool review_guest_has(const struct review *r, const char *name);
