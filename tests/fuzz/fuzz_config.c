/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/oci/patch.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/settings.h"
#include "runtime/plan/diagnosis.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/line.h"

/* Printed text is taken again and printed the same. */
static void check_print(json *j, struct buf *out)
{
	CLEANUP_BUF struct buf again = BUF_INIT(64u << 20);
	CLEANUP_JSON json *copy = NULL;
	struct err err;

	buf_deinit(out);
	ASSERT(json_print(j, out, &err) == 0);
	ASSERT(json_parse(out->data, out->len, "printed", &copy, &err) == 0);
	ASSERT(json_print(copy, &again, &err) == 0);
	ASSERT(again.len == out->len && memcmp(again.data, out->data, out->len) == 0);
}

/* What is said about bad settings is a line like any other. */
static void check_settings(json *j, const struct spec *spec)
{
	struct complaint bad = { "", "", "" };
	char line[DIAGNOSIS_MAX + 1];
	struct settings settings;

	settings_init(&settings);
	if (spec ? settings_from_annotations(&settings, spec, &bad)
		 : settings_from_json(&settings, j, "it", &bad)) {
		ASSERT(bad.what[0] && bad.fix[0]);
		diagnosis_config(&bad, line);
		fuzz_check_line(line);
	}
	ASSERT(settings.n_cpus <= SETTINGS_CPUS && settings.n_variables <= SETTINGS_VARIABLES);
}

/* What the judge said about the profile as it was holds for the profile as it is now. */
static void check_profile(json *profile, const struct patch *p, const struct seccomp_fit *before)
{
	struct seccomp_fit after;

	seccomp_judge(profile, p->host, p->guest, &after);
	ASSERT(!after.blocked == !before->denied);
}

static void check_document(const uint8_t *bytes, size_t n)
{
	static const struct settings_variable variable = { "QEMU_STACK_SIZE", "1" };
	CLEANUP_BUF struct buf first = BUF_INIT(64u << 20), second = BUF_INIT(64u << 20);
	CLEANUP_BUF struct buf notes = BUF_INIT(1u << 20);
	CLEANUP_ARENA struct arena arena = { NULL, 0, 0 };
	CLEANUP_JSON json *j = NULL;
	struct patch p = { .qemu_cpu = "max",
			   .variables = &variable,
			   .n_variables = 1,
			   .adapt_seccomp = true,
			   .host = arch_by_name("amd64", 5),
			   .guest = arch_by_name("arm64", 5),
			   .notes = &notes };
	struct seccomp_fit fit;
	struct spec spec;
	struct err err;

	if (json_parse(bytes, n, "it", &j, &err) < 0)
		return;
	check_print(j, &first);
	check_settings(j, NULL);
	if (spec_read(j, &arena, &spec, &err) < 0)
		return;
	check_settings(j, &spec);
	seccomp_judge(spec.seccomp, p.host, p.guest, &fit);
	if (patch_apply(j, &p, &err) < 0)
		return;
	check_profile(spec.seccomp, &p, &fit);
	check_print(j, &first);
	ASSERT(patch_apply(j, &p, &err) == 0);
	check_print(j, &second);
	ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
}

/* A config.json, and a node's configuration file: what prepare reads, changes and writes. */
void fuzz_one(uint8_t *bytes, size_t n)
{
	if (n < (1u << 20))
		check_document(bytes, n);
}
