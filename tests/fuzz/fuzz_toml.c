/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/oci/settings.h"
#include "runtime/oci/toml.h"
#include "tests/fuzz/fuzz.h"

static void check_assignments(const char *text)
{
	const char *at = text;
	struct toml_value v;
	struct err err = ERR_INIT;
	int rc;

	for (;;) {
		const char *before = at;

		rc = toml_next(&at, &v, &err);
		if (rc <= 0)
			break;
		ASSERT(at > before && at <= text + strlen(text));
		ASSERT(v.key[0] && memchr(v.key, 0, sizeof(v.key)));
		ASSERT(memchr(v.text, 0, sizeof(v.text)));
		ASSERT(v.kind != TOML_BOOL || v.number == str_eq(v.text, "true"));
	}
	ASSERT(rc == 0 ? !*at : err.code == ERR_INVALID && err.text[0]);
}

void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = strndup((const char *)bytes, n);
	struct complaint bad = { "", "", "" };
	struct settings settings;

	ASSERT(text);
	check_assignments(text);
	settings_init(&settings);
	if (settings_from_toml(&settings, text, "it", &bad) < 0)
		ASSERT(bad.what[0] && bad.fix[0] && memchr(bad.why, 0, sizeof(bad.why)));
	else
		ASSERT(settings.n_cpus <= SETTINGS_CPUS);
}
