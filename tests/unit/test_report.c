/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/prepare/report.h"

static void through_a_pipe(void **state)
{
	struct report r, copy;
	uint8_t bytes[sizeof(r) + 1];
	int in, out;
	struct err err;

	(void)state;
	report_init(&r);
	r.verdict = VERDICT_EMULATE;
	strcpy(r.handler, "qemu-aarch64");
	assert_int_equal(fd_pipe(&in, &out, 0, &err), 0);
	assert_int_equal(report_write(out, &r, &err), 0);
	close(out);
	assert_int_equal(read(in, bytes, sizeof(bytes)), sizeof(r));
	close(in);
	assert_int_equal(report_decode(bytes, sizeof(r), &copy, &err), 0);
	assert_string_equal(copy.handler, "qemu-aarch64");
	assert_int_equal(copy.verdict, VERDICT_EMULATE);
}

static void other_sizes(void **state)
{
	uint8_t bytes[sizeof(struct report) + 1] = { 0 };
	struct report r, copy;
	struct err err;

	(void)state;
	report_init(&r);
	memcpy(bytes, &r, sizeof(r));
	assert_int_equal(report_decode(bytes, 0, &copy, &err), -1);
	assert_int_equal(report_decode(bytes, sizeof(r) - 1, &copy, &err), -1);
	assert_int_equal(report_decode(bytes, sizeof(r) + 1, &copy, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
}

static void values_out_of_range(void **state)
{
	struct report r, copy;
	struct err err;

	(void)state;
#define REFUSED(change)                                                          \
	do {                                                                     \
		report_init(&r);                                                 \
		assert_int_equal(report_decode(&r, sizeof(r), &copy, &err), 0);  \
		change;                                                          \
		assert_int_equal(report_decode(&r, sizeof(r), &copy, &err), -1); \
	} while (0)
	REFUSED(r.version = REPORT_VERSION + 1);
	REFUSED(r.size--);
	REFUSED(r.verdict = VERDICT_N);
	REFUSED(r.flags = REPORT_FLAGS_ALL + 1);
	REFUSED(r.n_warnings = REPORT_WARNINGS + 1);
	REFUSED(r.decided.log_level = LOG_DEBUG + 1);
	REFUSED(r.decided.flags = DECIDED_FLAGS_ALL + 1);
	REFUSED(r.err.code = (enum err_code)(ERR_NOMEM + 1));
	REFUSED(r.err.code = (enum err_code) - 1);
}

/* The prepare of a newer package answers the shim of a pod from before, whatever its record's size.
 */
static void upgraded_under_a_pod(void **state)
{
	union {
		struct report r;
		uint8_t bytes[2 * sizeof(struct report)];
	} newer = { .bytes = { 0 } };
	struct report copy;
	struct err err;

	(void)state;
	newer.r.version = REPORT_VERSION + 1;
	for (uint32_t size = sizeof(newer.r) - 8; size <= sizeof(newer.r) + 8; size += 8) {
		newer.r.size = size;
		assert_int_equal(report_decode(newer.bytes, size, &copy, &err), -1);
		assert_non_null(strstr(err.text, "recreate the pod"));
	}
	/* Of the right length, and nonsense: the numbers that are told differ. */
	newer.r.version = REPORT_VERSION;
	newer.r.size = 17;
	assert_int_equal(report_decode(newer.bytes, sizeof(newer.r), &copy, &err), -1);
	assert_non_null(strstr(err.text, "of 17 bytes"));
	newer.r.size = sizeof(newer.r);
	assert_int_equal(report_decode(newer.bytes, 100, &copy, &err), -1);
	assert_non_null(strstr(err.text, "has 100 bytes instead of"));
}

static void strings_are_terminated(void **state)
{
	struct report r, copy;
	struct err err;

	(void)state;
	memset(&r, 'x', sizeof(r));
	r.version = REPORT_VERSION;
	r.size = sizeof(r);
	r.verdict = r.flags = r.n_warnings = 0;
	r.program_level = r.image_level = 0;
	r.decided.log_level = r.decided.flags = 0;
	r.err.code = ERR_NONE;
	assert_int_equal(report_decode(&r, sizeof(r), &copy, &err), 0);
	assert_int_equal(strlen(copy.code), sizeof(copy.code) - 1);
	assert_int_equal(strlen(copy.line), sizeof(copy.line) - 1);
	assert_int_equal(strlen(copy.warnings[3]), sizeof(copy.warnings[3]) - 1);
	assert_int_equal(strlen(copy.cpu), sizeof(copy.cpu) - 1);
	assert_int_equal(strlen(copy.decided.engine), sizeof(copy.decided.engine) - 1);
	assert_int_equal(strlen(copy.decided.pod), sizeof(copy.decided.pod) - 1);
	assert_int_equal(strlen(copy.err.text), sizeof(copy.err.text) - 1);
}

/* Whatever arrives: refused, or every string is one. */
static void random_records(void **state)
{
	struct report r, copy;
	struct err err;

	(void)state;
	srandom(3);
	for (int i = 0; i < 2000; i++) {
		uint8_t *bytes = (uint8_t *)&r;

		report_init(&r);
		for (int k = 0; k < 40; k++)
			bytes[8 + random() % (long)(sizeof(r) - 8)] = (uint8_t)random();
		if (report_decode(&r, sizeof(r), &copy, &err) == 0)
			assert_true(memchr(copy.line, 0, sizeof(copy.line)) != NULL);
	}
}

/* What a reader has who waited for the end: one record, or those before the last say that more
 * come. */
static void several(void **state)
{
	struct report r[2], copy;
	struct err err;

	(void)state;
	report_init(&r[0]);
	report_init(&r[1]);
	r[1].verdict = VERDICT_REFUSE;
	assert_int_equal(report_decode_last(r, sizeof(r[0]), &copy, &err), 0);
	assert_int_equal(copy.verdict, VERDICT_NONE);
	assert_int_equal(report_decode_last(r, sizeof(r), &copy, &err), -1);
	r[0].flags = REPORT_MORE;
	assert_int_equal(report_decode_last(r, sizeof(r), &copy, &err), 0);
	assert_int_equal(copy.verdict, VERDICT_REFUSE);
	assert_int_equal(report_decode_last(r, sizeof(r[0]), &copy, &err), -1);
	assert_non_null(strstr(err.text, "before its last"));
	assert_int_equal(report_decode_last(r, sizeof(r) - 1, &copy, &err), -1);
	assert_int_equal(report_decode_last(r, 0, &copy, &err), -1);
}

/* A descriptor comes with a record to somebody who expects one, and to nobody else. */
static void with_a_descriptor(void **state)
{
	struct report r, copy;
	int pair[2], passed = -1;
	struct stat st, was;
	struct err err;

	(void)state;
	report_init(&r);
	r.flags = REPORT_DECIDED;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(report_send(pair[1], &r, STDERR_FILENO, &err), 0);
	assert_int_equal(report_receive(pair[0], &copy, sizeof(copy), &passed), sizeof(copy));
	assert_int_equal(fstat(STDERR_FILENO, &was), 0);
	assert_int_equal(fstat(passed, &st), 0);
	assert_int_equal(st.st_ino, was.st_ino);
	close(passed);
	passed = dup(STDERR_FILENO); /* what the next one would be */
	close(passed);
	assert_int_equal(report_send(pair[1], &r, STDERR_FILENO, &err), 0);
	assert_int_equal(report_receive(pair[0], &copy, sizeof(copy), NULL), sizeof(copy));
	assert_int_equal(fcntl(passed, F_GETFD), -1);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(through_a_pipe),
		cmocka_unit_test(other_sizes),
		cmocka_unit_test(values_out_of_range),
		cmocka_unit_test(upgraded_under_a_pod),
		cmocka_unit_test(strings_are_terminated),
		cmocka_unit_test(random_records),
		cmocka_unit_test(several),
		cmocka_unit_test(with_a_descriptor),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
