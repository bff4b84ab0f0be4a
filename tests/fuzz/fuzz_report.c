/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/prepare/declared_platform.h"
#include "runtime/prepare/report.h"
#include "tests/fuzz/fuzz.h"

#define ENDS(text) (memchr(text, 0, sizeof(text)) != NULL)

static void check_strings(const struct report *r)
{
	const struct decided *d = &r->decided;

	ASSERT(ENDS(r->code) && ENDS(r->guest) && ENDS(r->program) && ENDS(r->handler));
	ASSERT(ENDS(r->line) && ENDS(r->cpu) && ENDS(r->err.text));
	ASSERT(ENDS(d->engine) && ENDS(d->root) && ENDS(d->cgroup) && ENDS(d->shim_cgroup));
	ASSERT(ENDS(d->criu_image_path) && ENDS(d->criu_work_path) && ENDS(d->pod));
	for (size_t i = 0; i < REPORT_WARNINGS; i++)
		ASSERT(ENDS(r->warnings[i]));
}

/* A report as the shim reads it, over its own copy too: refused, or every string in it ends. */
static void platform_check_report(const uint8_t *bytes, size_t n)
{
	struct report in, out;
	struct err err;

	ASSERT(n == sizeof(in) || report_decode(bytes, n, &out, &err) < 0);
	report_init(&in);
	memset((char *)&in + 8, 'x', sizeof(in) - 8);
	memcpy((char *)&in + 8, bytes, n < sizeof(in) - 8 ? n : sizeof(in) - 8);
	if (report_decode(&in, sizeof(in), &in, &err) < 0)
		return;
	check_strings(&in);
	ASSERT(in.verdict < VERDICT_N && in.n_warnings <= REPORT_WARNINGS);
	ASSERT(report_decode(&in, sizeof(in), &out, &err) == 0);
}

void fuzz_one(uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = strndup((const char *)bytes, n);
	struct platform p;

	ASSERT(text);
	platform_check_report(bytes, n);
	declared_parse(text, &p);
	ASSERT(ENDS(p.os) && ENDS(p.arch) && ENDS(p.variant));
}
