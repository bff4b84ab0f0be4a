/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/plan/line_text.h"

/* Names out of an image, as they get into a line for a person. */
static const struct {
	const char *name, *shown;
} names[] = {
	{ "/bin/uname", "/bin/uname" },
	{ "/bin/\xc3\xbcn\xc3\xafq", "/bin/\xc3\xbcn\xc3\xafq" },
	{ "/b\nin\x1b[31m", "/b?in?[31m" },
	{ "/bin/\xe2\x80\xaegpj.sh", "/bin/???gpj.sh" }, /* U+202E: the rest runs backwards */
	{ "/\xe2\x81\xa6x\xe2\x81\xa9", "/???x???" },	 /* U+2066, U+2069: isolates */
	{ "a\xe2\x80\x8b"
	  "b",
	  "a???b" }, /* U+200B: no width */
	{ "a\xe2\x80\xa8"
	  "b",
	  "a???b" },		     /* U+2028: another line */
	{ "\xef\xbb\xbfx", "???x" }, /* U+FEFF: byte order mark */
	{ "a\xc2\xad"
	  "b",
	  "a??b" },			  /* U+00AD: soft hyphen */
	{ "\xf3\xa0\x81\x81x", "????x" }, /* U+E0041: a tag */
	{ "\xc2\x9bx\xff", "??x?" },
};

static void shown(void **state)
{
	char place[64];
	struct text t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		text_init(&t, place, sizeof(place));
		text_name(&t, names[i].name, 40);
		assert_string_equal(place, names[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
