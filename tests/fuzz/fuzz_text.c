/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/plan/line_text.h"
#include "runtime/prepare/criu_log.h"
#include "runtime/prepare/engine_log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/line.h"

/* A name out of an image in a line of any size; the first byte says how much of it may be shown. */
static void check_name(const char *name, size_t max)
{
	char place[128];
	struct text t;

	for (size_t size = 2; size <= sizeof(place); size += 63) {
		text_init(&t, place, size);
		text_printf(&t, "%d", 1);
		text_name(&t, name, max);
		text_add(&t, "\"");
		ASSERT(t.n < size && strlen(place) == t.n);
	}
	text_init(&t, place, sizeof(place));
	text_name(&t, name, max);
	fuzz_check_line(place);
	ASSERT(strlen(place) <= (max > 3 ? max : 6));
}

static void check_criu(const char *text)
{
	char errors[CRIU_ERRORS_MAX];

	if (!criu_log_errors(text, errors))
		return;
	ASSERT(memchr(errors, 0, sizeof(errors)));
	fuzz_check_line(errors);
}

/* The same bytes as the log an engine leaves behind, and criu. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = n ? strndup((const char *)bytes + 1, n - 1) : NULL;
	char message[ENGINE_MESSAGE_MAX];

	if (!text)
		return;
	check_name(text, 4 + bytes[0] % 120);
	check_criu(text);
	if (!engine_log_last_error(text, message))
		return;
	ASSERT(memchr(message, 0, sizeof(message)));
	fuzz_check_line(message);
	(void)engine_log_hint(message);
}
