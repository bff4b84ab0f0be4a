/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runtime/prepare/request.h"

static void round_trip(void **state)
{
	const char *first[] = { "index=off", "lowerdir=/a:/b", NULL }, *none[] = { NULL };
	struct prepare_mount mounts[] = {
		{ "overlay", "overlay", "", first },
		{ "bind", "/x=y", "sub/dir", none },
		{ "tmpfs", "t", "", first },
	};
	struct prepare_request r = { .id = "c1",
				     .namespace = "k8s.io",
				     .sandbox = "p1",
				     .traceparent = "00-x",
				     .bundle = "/b",
				     .config_body = "a = \"b\"\n",
				     .process = "{}",
				     .init_pid = 42,
				     .io_uid = UINT64_MAX,
				     .flags = REQUEST_SYSTEMD_CGROUP,
				     .mounts = mounts,
				     .n_mounts = 3 };
	CLEANUP_ARENA struct arena a = { NULL, 0, 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	struct prepare_request copy;
	struct log_subject about;
	struct err err;

	(void)state;
	assert_int_equal(request_encode(&r, &text, &err), 0);
	assert_int_equal(request_decode(text.data, text.len, &a, &copy, &err), 0);
	assert_string_equal(copy.id, "c1");
	about = request_subject(&copy);
	assert_string_equal(about.id, "c1");
	assert_string_equal(about.namespace, "k8s.io");
	assert_string_equal(about.sandbox, "p1");
	assert_string_equal(about.traceparent, "00-x");
	assert_string_equal(about.exec_id, "");
	assert_string_equal(copy.config_path, "");
	assert_string_equal(copy.config_body, "a = \"b\"\n");
	assert_int_equal(copy.process_len, 2);
	assert_int_equal(copy.init_pid, 42);
	assert_true(copy.io_uid == UINT64_MAX);
	assert_int_equal(copy.flags, REQUEST_SYSTEMD_CGROUP);
	assert_int_equal(copy.n_mounts, 3);
	assert_string_equal(copy.mounts[0].options[1], "lowerdir=/a:/b");
	assert_null(copy.mounts[0].options[2]);
	assert_string_equal(copy.mounts[1].source, "/x=y");
	assert_string_equal(copy.mounts[1].target, "sub/dir");
	assert_null(copy.mounts[1].options[0]);
	assert_string_equal(copy.mounts[2].options[0], "index=off");
}

static void nothing(void **state)
{
	CLEANUP_ARENA struct arena a = { NULL, 0, 0 };
	struct prepare_request r;
	struct err err;

	(void)state;
	assert_int_equal(request_decode("", 0, &a, &r, &err), 0);
	assert_string_equal(r.bundle, "");
	assert_int_equal(r.n_mounts, 0);
}

static void bad_text(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {
		{ "id=x", 4 },	     { "\0", 1 },	    { "nothing=1", 10 },
		{ "id", 3 },	     { "=x", 3 },	    { "source=/x", 10 },
		{ "option=ro", 10 }, { "init-pid=-1", 12 }, { "init-pid=18446744073709551616", 30 },
		{ "flags=", 7 },     { "mounts=x", 9 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_ARENA struct arena a = { NULL, 0, 0 };
		struct prepare_request r;
		struct err err;

		if (request_decode(rows[i].text, rows[i].n, &a, &r, &err) == 0)
			fail_msg("row %zu was taken", i);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

/* Pieces in random order: decoding ends, and every list of options does. */
static void random_order(void **state)
{
	static const char *const pieces[] = { "mount=a",  "source=b", "target=c", "option=d",
					      "option=e", "id=f",     "mount=g",  "process=h" };
	(void)state;
	srandom(5);
	for (int i = 0; i < 3000; i++) {
		CLEANUP_ARENA struct arena a = { NULL, 0, 0 };
		CLEANUP_BUF struct buf text = BUF_INIT(4096);
		struct prepare_request r;
		struct err err;
		size_t options = 0;

		for (long k = random() % 12; k > 0; k--) {
			const char *piece = pieces[random() % (long)ARRAY_SIZE(pieces)];

			assert_int_equal(buf_add(&text, piece, strlen(piece) + 1, &err), 0);
		}
		if (request_decode(text.data, text.len, &a, &r, &err) < 0)
			continue;
		for (size_t m = 0; m < r.n_mounts; m++)
			for (const char **o = r.mounts[m].options; *o; o++)
				options++;
		assert_true(options <= 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(nothing),
		cmocka_unit_test(bad_text),
		cmocka_unit_test(random_order),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
