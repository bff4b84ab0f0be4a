/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/err.h"

/*
 * How often each outcome was seen on this node: a file of counters that every shim adds to and
 * `crossarch metrics` reads. It has a fixed size, for it lives in /run, and is mapped for the
 * moment of an addition; nobody waits for anybody, and who dies at it leaves one slot unused at
 * most. A reboot begins anew, as Prometheus expects of counters.
 */
#define OUTCOMES_DIR "/run/crossarch"
#define OUTCOMES_NAME "outcomes"
#define OUTCOMES_FILE OUTCOMES_DIR "/" OUTCOMES_NAME

/* Different outcomes that are counted; of all beyond that only the number is, as OUTCOMES_OTHER. */
#define OUTCOMES_MAX 255
#define OUTCOMES_OTHER "other"

/* What became of a container: at Create, where unknown is a check that failed, and at its end. */
#define OUTCOME_NATIVE "native"
#define OUTCOME_EMULATED "emulated"
#define OUTCOME_REFUSED "refused"
#define OUTCOME_UNKNOWN "unknown"
#define OUTCOME_CRASHED "crashed"
/* What became of a pull. */
#define OUTCOME_PULLED "pulled"
#define OUTCOME_NOT_PULLED "not-pulled"

/*
 * "" for none. A character that is no printable ASCII, a space, a quote or a backslash counts as
 * '_'; what is too long for struct outcome_row is cut.
 */
struct outcome {
	const char *verdict;  /* one of OUTCOME_... */
	const char *code;     /* of the diagnosis: "no-emulator" */
	const char *platform; /* "linux/arm64" */
	const char *runtime;  /* the OCI runtime's name: "runc" */
};

/*
 * Adds 1. @dir has the file; directory and file are made when missing, for root alone. That
 * something cannot be counted is an error to log and nothing else.
 */
MUST_CHECK int outcome_count(const char *dir, const char *name, const struct outcome *o,
			     struct err *err);

struct outcome_row {
	char verdict[16], code[32], platform[32], runtime[32];
	uint64_t count;
};

/*
 * Reads all rows, at most OUTCOMES_MAX + 1, in the order in which they were first seen; the same
 * outcome stands in one row. A file that is missing has none. ERR_INVALID for one that is no such
 * file.
 */
MUST_CHECK int outcomes_read(const char *file, struct outcome_row *ret, size_t *ret_n,
			     struct err *err);
