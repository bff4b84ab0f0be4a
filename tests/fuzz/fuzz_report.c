/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/prepare/declared.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"
#include "tests/fuzz/fuzz.h"

/* A report as the shim reads it: refused, or every string in it ends. */
static void check_report(const uint8_t *bytes, size_t n)
{
	struct report in, out;
	struct err err;

	report_init(&in);
	memcpy((char *)&in + 8, bytes, n < sizeof(in) - 8 ? n : sizeof(in) - 8);
	if (report_decode(&in, sizeof(in), &out, &err) < 0)
		return;
	ASSERT(memchr(out.line, 0, sizeof(out.line)) && memchr(out.cpu, 0, sizeof(out.cpu)));
	ASSERT(out.verdict < VERDICT_N && out.n_warnings <= REPORT_WARNINGS);
}

/* A request that is taken is written and taken again. */
static void check_request(const uint8_t *bytes, size_t n)
{
	CLEANUP_ARENA struct arena arena = { NULL, 0, 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(16u << 20);
	struct prepare_request r, again;
	struct err err;

	if (request_decode(bytes, n, &arena, &r, &err) < 0)
		return;
	ASSERT(request_encode(&r, &text, &err) == 0);
	ASSERT(request_decode(text.data, text.len, &arena, &again, &err) == 0);
	ASSERT(r.n_mounts == again.n_mounts && r.flags == again.flags);
	ASSERT(strcmp(r.process, again.process) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	CLEANUP_FREE char *text = strndup((const char *)bytes, n);
	struct platform p;

	check_report(bytes, n);
	check_request(bytes, n);
	if (text)
		declared_parse(text, &p);
	return 0;
}
