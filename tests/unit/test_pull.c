/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of a pull: how far it is, and why it failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/cli/pull_display.h"
#include "runtime/containerd/pull_failure.h"

/*
 * Texts of containerd 1.6, 1.7 and 2.1 as 63-pull.test makes them say them, cut where they repeat
 * themselves; the last ones are the gRPC core's and our own.
 */
static void test_failures(void **state)
{
	static const struct {
		const char *text;
		enum pull_failure failure;
	} rows[] = {
		{ "failed to resolve reference \"h:5000/a:1\": pulling from host h:5000 failed "
		  "with "
		  "status code [manifests 1]: 401 Unauthorized",
		  PULL_DENIED },
		{ "failed to resolve reference \"h:5000/a:1\": pulling from host h:5000 failed "
		  "with "
		  "status code [manifests 1]: 403 Forbidden",
		  PULL_DENIED },
		{ "failed to resolve reference \"h:5000/a:1\": pull access denied, repository does "
		  "not exist or may require authorization: authorization failed: no basic auth "
		  "credentials",
		  PULL_DENIED },
		{ "failed to resolve image: pull access denied, repository does not exist or may "
		  "require authorization: server message: insufficient_scope: authorization failed",
		  PULL_DENIED },
		{ "failed to resolve image: unexpected status from HEAD request to "
		  "http://h:5000/v2/a/manifests/1: 403 Forbidden",
		  PULL_DENIED },
		{ "failed to copy: httpReadSeeker: failed open: unexpected status code "
		  "https://h:5000/v2/a/blobs/sha256:1: 401 Unauthorized - Server message: unknown",
		  PULL_DENIED },
		{ "failed to pull and unpack image \"a\": no match for platform in manifest: not "
		  "found",
		  PULL_NO_PLATFORM },
		{ "get image config descriptor: no match for platform in manifest sha256:1: not "
		  "found",
		  PULL_NO_PLATFORM },
		{ "failed to resolve reference \"h:5000/a:1\": h:5000/a:1: not found",
		  PULL_NOT_FOUND },
		{ "failed to resolve image: h:5000/a:1: not found", PULL_NOT_FOUND },
		{ "failed to copy: httpReadSeeker: failed open: could not fetch content descriptor "
		  "sha256:1 (application/vnd.oci.image.config.v1+json) from remote: not found",
		  PULL_NOT_FOUND },
		{ "failed to resolve reference \"h:5000/a:1\": pulling from host h:5000 failed "
		  "with "
		  "status code [manifests 1]: 503 Service Unavailable",
		  PULL_LATER },
		{ "failed to copy: httpReadSeeker: failed open: unexpected status from GET request "
		  "to http://h:5000/v2/a/blobs/sha256:1: 429 Too Many Requests unknown",
		  PULL_LATER },
		{ "failed to read expected number of bytes: unexpected EOF", PULL_LATER },
		{ "failed to resolve reference \"h:5000/a:1\": failed to do request: Head "
		  "\"https://h:5000/v2/a/manifests/1\": dial tcp 127.0.0.1:5000: connect: "
		  "connection refused",
		  PULL_UNREACHABLE },
		{ "failed to do request: Head \"https://no.invalid/v2/a/manifests/1\": dial tcp: "
		  "lookup no.invalid on 127.0.0.1:53: no such host",
		  PULL_UNREACHABLE },
		{ "failed commit on ref \"config-sha256:1\": unexpected commit digest sha256:2, "
		  "expected sha256:1: failed precondition",
		  PULL_CORRUPT },
		{ "failed to copy: write "
		  "/var/lib/containerd/io.containerd.content.v1.content/ingest/"
		  "1/data: no space left on device",
		  PULL_DISK_FULL },
		{ "connect to /run/containerd/containerd.sock: Connection refused", PULL_GONE },
		{ "ImageService/PullImage: Socket closed", PULL_GONE },
		{ "something new", PULL_OTHER },
		{ "", PULL_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (pull_failure_of(rows[i].text) != rows[i].failure)
			fail_msg("%s: %d", rows[i].text, (int)pull_failure_of(rows[i].text));
	for (int f = 0; f < PULL_FAILURE_N; f++)
		assert_int_equal(*pull_failure_advice((enum pull_failure)f) == '\0',
				 f == PULL_OTHER);
}

static void test_display(void **state)
{
	static const struct {
		struct progress p;
		const char *size, *bar;
	} rows[] = {
		{ { 0, 0 }, "0 MB", "[          ]" },
		{ { 0, 62000000 }, "0 of 62 MB", "[          ]" },
		{ { 14700000, 61200000 }, "14 of 62 MB", "[##        ]" },
		{ { 61199999, 61200000 }, "61 of 62 MB", "[######### ]" },
		{ { 61200000, 61200000 }, "62 MB", "[##########]" },
		{ { 70000000, 61200000 }, "70 MB", "[##########]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[64];

		pull_display_bar(&rows[i].p, 10, text, sizeof(text));
		assert_string_equal(text, rows[i].bar);
		pull_display_size(&rows[i].p, text, sizeof(text));
		assert_string_equal(text, rows[i].size);
	}
}

static void test_terminal(void **state)
{
	static const struct {
		const char *what;
		size_t columns;
		const char *text;
	} rows[] = {
		{ "linux/arm64 of a:1", 80,
		  "linux/arm64 of a:1 [#######                       ] 14 of 62 MB" },
		{ "linux/arm64 of a:1", 64,
		  "linux/arm64 of a:1 [#######                       ] 14 of 62 MB" },
		{ "linux/arm64 of a:1", 63, "linux/arm64 of a:1 [##        ] 14 of 62 MB" },
		{ "linux/arm64 of a:1", 44, "linux/arm64 of a:1 [##        ] 14 of 62 MB" },
		{ "linux/arm64 of a:1", 43, "...x/arm64 of a:1 [##        ] 14 of 62 MB" },
		{ "linux/arm64 of a:1", 30, "...1 [##        ] 14 of 62 MB" },
		{ "linux/arm64 of a:1", 29, "14 of 62 MB" },
		{ "linux/arm64 of a:1", 9, "14 of 62" },
		{ "", 28, " [##        ] 14 of 62 MB" },
	};
	const struct progress p = { 14700000, 61200000 }, whole = { 61200000, 61200000 };
	char text[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pull_display_text(rows[i].what, &p, rows[i].columns, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
		assert_true(strlen(text) < rows[i].columns);
	}
	pull_display_text("a", &whole, 40, text, sizeof(text));
	assert_string_equal(text, "a [##########] 62 MB, unpacking");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_display),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
