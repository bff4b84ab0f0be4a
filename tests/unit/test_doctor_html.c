/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a node: nothing that comes from an image, a handler or a log is markup in it, and
 * every part of it is well-formed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/str.h"
#include "runtime/cli/doctor_html.h"
#include "runtime/cli/html_writer.h"
#include "runtime/cli/outcome_tally.h"
#include "runtime/cli/whole_file.h"

#define HOSTILE "<script>\"'&\x01\x7f\xff\xc3\x28\xe2\x80\xae</style>]]>\n&lt;"
#define HARMLESS                            \
	"&lt;script&gt;&quot;&#39;&amp;???" \
	"?(?"                               \
	"?"                                 \
	"?&lt;/style&gt;]]&gt; &amp;lt;"

/* --- text ------------------------------------------------------------------------------------ */

static void assert_text(const char *text, const char *wanted)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct html h = { .out = &out, .err = &err };

	html_text(&h, text);
	assert_false(h.failed);
	assert_string_equal(buf_str(&out), wanted);
}

static void test_text(void **state)
{
	(void)state;
	assert_text("", "");
	assert_text("docker.io/library/nginx:1.27", "docker.io/library/nginx:1.27");
	assert_text("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	assert_text(HOSTILE, HARMLESS);
	assert_text("\xf0\x9f", "?"
				"?");
	assert_text("a\xc2\x85"
		    "b\xed\xa0\x80",
		    "a?"
		    "?b?"
		    "??");
}

static void test_limit(void **state)
{
	CLEANUP_BUF struct buf out = BUF_INIT(8);
	struct err err = ERR_INIT;
	struct html h = { .out = &out, .err = &err };

	(void)state;
	html_mark(&h, "<p>");
	html_text(&h, "<<");
	html_mark(&h, "x");
	assert_true(h.failed);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_string_equal(buf_str(&out), "<p>&lt;");
}

static void test_numbers(void **state)
{
	static const struct {
		uint64_t n;
		const char *wanted;
	} rows[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 12003045, "12,003,045" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP_BUF struct buf out = BUF_INIT(64);
		struct err err = ERR_INIT;
		struct html h = { .out = &out, .err = &err };

		html_count(&h, rows[i].n);
		assert_string_equal(buf_str(&out), rows[i].wanted);
	}
}

/* --- well-formed ----------------------------------------------------------------------------- */

#define DEPTH 32

/* Each element is closed where it has to be, and each & begins one of our entities. */
static void assert_well_formed(const char *page)
{
	static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	char open[DEPTH][16];
	size_t depth = 0;

	for (const char *p = page; *p; p++) {
		size_t n = strcspn(p + 1, " >\n/"), known = 0;
		const char *end = strchr(p, '>');

		for (size_t i = 0; *p == '&' && i < ARRAY_SIZE(entities); i++)
			known += str_after(p, entities[i]) != NULL;
		if (*p == '&' && !known)
			fail_msg("no entity: %.40s", p);
		if (*p != '<' || p[1] == '!')
			continue;
		assert_non_null(end);
		if (p[1] == '/') {
			n = strcspn(p + 2, ">");
			if (!depth || strlen(open[depth - 1]) != n ||
			    strncmp(open[depth - 1], p + 2, n) != 0)
				fail_msg("not open here: %.40s", p);
			depth--;
		} else if (end[-1] != '/') {
			assert_true(depth < DEPTH && n < sizeof(open[0]));
			(void)str_fmt(open[depth++], sizeof(open[0]), "%.*s", (int)n, p + 1);
		}
	}
	assert_int_equal(depth, 0);
}

static size_t occurrences(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		n++;
	return n;
}

/* --- a node ---------------------------------------------------------------------------------- */

static struct findings findings;
static struct node_counters counters;

static void find_trouble(void)
{
	findings = (struct findings){ .section = "node" };
	found(&findings, GRADE_INFO, "platform", "%s", HOSTILE);
	found(&findings, GRADE_BAD, HOSTILE, "%s", HOSTILE);
	fix(&findings, "%s --write " HOSTILE, "config");
	findings.section = "emulators";
	found(&findings, GRADE_WARN, "warned", "%s", "odd");
	found(&findings, GRADE_GOOD, "good", "%s", "fine");
}

static void count_some(void)
{
	static const struct outcome_row rows[] = {
		{ OUTCOME_NATIVE, "", "linux/amd64", "runc", 9999 },
		{ OUTCOME_REFUSED, "no-emulator", "linux/amd64", "runc", 1 },
		{ OUTCOME_REFUSED, "no-emulator", "linux/s390x", "crun", 20 },
		{ OUTCOME_EMULATED, "", "linux/<b>", "runc", 3000 },
		{ OUTCOME_UNKNOWN, "", "", "", 7 },
		{ OUTCOME_NOT_PULLED, "", "linux/arm64", "", 2 },
	};

	counters = (struct node_counters){ .n = ARRAY_SIZE(rows), .n_rearmed = 1 };
	memcpy(counters.rows, rows, sizeof(rows));
	counters.rearmed[0] = (struct rearmed_row){ "<i>", 3 };
}

/* One container of each way to end, all with names that somebody chose badly. */
struct ends {
	struct node_space space;
	struct node_container c;
	struct report refused, native, failed;
	struct why_record list[4];
};

static void end_badly(struct ends *e)
{
	e->space = (struct node_space){ .name = HOSTILE };
	e->c = (struct node_container){
		.space = &e->space,
		.entry = { .id = "0123456789abcdef", .image = HOSTILE, .runtime = HOSTILE },
		.pod_namespace = HOSTILE,
		.pod = HOSTILE,
		.pod_id = "x",
		.name = HOSTILE,
		.asked_image = HOSTILE,
		.command = "app --password=secret"
	};
	e->refused = (struct report){ .verdict = VERDICT_REFUSE, .code = "no-emulator" };
	(void)str_copy(e->refused.line, sizeof(e->refused.line),
		       "crossarch[no-emulator]: /a. Fix: b is " HOSTILE
		       "; no handler matches it. Fix: crossarch emulators install --path x.");
	e->native = (struct report){ .verdict = VERDICT_NATIVE };
	e->failed = (struct report){ .verdict = VERDICT_NONE };
	(void)str_copy(e->failed.err.text, sizeof(e->failed.err.text), HOSTILE);
	for (size_t i = 0; i < ARRAY_SIZE(e->list); i++)
		e->list[i] = (struct why_record){ .c = &e->c,
						  .when = 1795800000,
						  .exit_status = 1,
						  .reason = "",
						  .message = i ? HOSTILE : "crossarch[x]: same" };
	e->list[0].verdict.report = &e->refused;
	e->list[1].verdict.report = &e->native;
	(void)str_copy(e->list[1].complaint, sizeof(e->list[1].complaint), HOSTILE);
	e->list[2].verdict.report = &e->failed;
	(void)str_copy(e->list[3].verdict.why, sizeof(e->list[3].verdict.why), HOSTILE);
}

static const char *page_of(const struct node *n, const struct node_refusals *r, struct buf *out)
{
	const struct doctor_page page = { .name = HOSTILE,
					  .when = 1795802400,
					  .findings = &findings,
					  .node = n,
					  .refusals = r,
					  .counters = &counters };
	struct err err = ERR_INIT;

	assert_int_equal(doctor_html(&page, out, &err), 0);
	assert_well_formed(buf_str(out));
	return buf_str(out);
}

static void test_page(void **state)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 20);
	struct binfmt_entry entry = { .enabled = true };
	struct emulator e = { .entry = &entry,
			      .arch = arch_by_name("arm64", 5),
			      .kind = emulator_kind_named("qemu"),
			      .works = WORKS_NO };
	struct node n = { .dirfd = -1, .binfmt = { .state = BINFMT_ON }, .list = &e, .n = 1 };
	struct node_refusals r = { .n = 4 };
	struct ends ends;
	const char *page;

	(void)state;
	(void)str_copy(e.why, sizeof(e.why), HOSTILE);
	(void)str_copy(entry.name, sizeof(entry.name), "<b>&");
	(void)str_copy(entry.interpreter, sizeof(entry.interpreter), "/\"<x>");
	find_trouble();
	count_some();
	end_badly(&ends);
	r.list = ends.list;
	page = page_of(&n, &r, &out);
	assert_int_equal(occurrences(page, "<script"), 0);
	assert_int_equal(occurrences(page, "http://"), 1); /* the name of XHTML's elements */
	assert_int_equal(occurrences(page, "https://"), 0);
	assert_int_equal(occurrences(page, "secret"), 0);
	assert_non_null(strstr(page, "<h1>" HARMLESS "</h1>"));
	assert_non_null(strstr(page, "<p class=\"state problem\">1 problem, 1 warning</p>"));
	assert_non_null(strstr(page, "datetime=\"2026-11-27T18:00:00Z\">27 November 2026, 18:00"));
	assert_non_null(strstr(page, "<b>Fix</b> <code>config <span>--write</span> "));
	assert_non_null(strstr(page, "fails: &lt;script"));
	assert_non_null(strstr(page, "/a. Fix: b is &lt;script"));
	assert_non_null(strstr(page, "matches it.</p>\n<p class=\"fix\"><b>Fix</b> <code>crossarch "
				     "emulators install <span>--path</span> x.</code>"));
	assert_int_equal(occurrences(page, "same"), 0);
	assert_int_equal(occurrences(page, "The runtime said"), 3);
	assert_int_equal(occurrences(page, "Its log says"), 1);
	assert_int_equal(occurrences(page, "Not judged: " HARMLESS), 2);
	assert_non_null(strstr(page, "Its own program would run here now"));
	assert_non_null(strstr(page, "linux/amd64: 9,999 native, 1 refused; linux/&lt;b&gt;: "
				     "3,000 emulated"));
}

/* Nothing to show is said, and why. */
static void test_nothing(void **state)
{
	CLEANUP_BUF struct buf well = BUF_INIT(1u << 20), ill = BUF_INIT(1u << 20);
	struct node n = { .dirfd = -1, .binfmt = { .state = BINFMT_ON } };
	struct node_refusals r = { .n = 0 };

	(void)state;
	findings = (struct findings){ .n = 0 };
	counters = (struct node_counters){ .n = 0 };
	r.all.n = 12;
	page_of(&n, &r, &well);
	assert_non_null(strstr(buf_str(&well), "<p class=\"state ok\">All well</p>"));
	assert_non_null(strstr(buf_str(&well), "None of the 12 containers"));
	assert_non_null(strstr(buf_str(&well), "only programs of the node's own architecture"));
	assert_non_null(strstr(buf_str(&well), "Nothing was counted yet"));
	n.binfmt.state = BINFMT_NOT_MOUNTED;
	(void)str_copy(r.trouble, sizeof(r.trouble), "no " HOSTILE);
	(void)str_copy(counters.trouble, sizeof(counters.trouble), "neither " HOSTILE);
	page_of(&n, &r, &ill);
	assert_non_null(strstr(buf_str(&ill), "They cannot be told: no " HARMLESS));
	assert_non_null(strstr(buf_str(&ill), "It cannot be told: neither " HARMLESS));
	assert_non_null(strstr(buf_str(&ill), "binfmt_misc is not mounted"));
}

/* --- charts ---------------------------------------------------------------------------------- */

static void test_tally(void **state)
{
	static struct tally t;
	char label[16];

	(void)state;
	t.n = 0;
	for (unsigned int i = 1; i <= 6; i++) {
		(void)str_fmt(label, sizeof(label), "l%u", i);
		tally_add(&t, label, i % 2, i);
		tally_add(&t, label, i % 2, 10 * i);
	}
	tally_add(&t, "", 3, 1000);
	tally_sort(&t, 4);
	assert_int_equal(t.n, 4);
	assert_string_equal(t.bars[0].label, "not known");
	assert_string_equal(t.bars[1].label, "l6");
	assert_int_equal(t.bars[1].part[0], 66);
	assert_string_equal(t.bars[3].label, "others");
	assert_int_equal(t.bars[3].part[0] + t.bars[3].part[1], 11 * (1 + 2 + 3 + 4));
}

/* What is there is seen, and no bar is longer than its chart. */
static void test_widths(void **state)
{
	const struct bar bars[] = { { "all", { 1000000, 1, 1 } }, { "one", { 1 } } };
	const struct bar_chart chart = { .id = "x",
					 .title = "X",
					 .unit = "of them",
					 .parts = { { "a", "a" }, { "b", "b" }, { "c", "c" } },
					 .n_parts = 3,
					 .bars = bars,
					 .n = 2 };
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 16);
	struct err err = ERR_INIT;
	struct html h = { .out = &out, .err = &err };
	size_t seen = 0;
	double x, width;

	(void)state;
	svg_bars(&h, &chart);
	assert_false(h.failed);
	assert_well_formed(buf_str(&out));
	for (const char *at = buf_str(&out); (at = strstr(at, "x=\"")); at++)
		if (sscanf(at, "x=\"%lf%%\" y=\"%*u\" width=\"%lf%%\"", &x, &width) == 2) {
			assert_true(width > 0.5 && x + width < 100.02);
			seen++;
		}
	assert_int_equal(seen, 4);
}

/* --- the file -------------------------------------------------------------------------------- */

static void assert_refused(const char *path, const char *words)
{
	CLEANUP_WHOLE_FILE struct whole_file f = WHOLE_FILE_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(whole_file_open(path, &f, &err), -1);
	if (!strstr(err.text, words))
		fail_msg("got: %s, wanted: %s", err.text, words);
}

static void write_to(const char *path, const char *text)
{
	CLEANUP_WHOLE_FILE struct whole_file f = WHOLE_FILE_INIT;
	CLEANUP_BUF struct buf b = BUF_INIT(100);
	struct err err = ERR_INIT;

	assert_int_equal(buf_add(&b, text, strlen(text), &err), 0);
	assert_int_equal(whole_file_open(path, &f, &err), 0);
	assert_int_equal(whole_file_write(&f, &b, &err), 0);
}

static void test_file(void **state)
{
	char dir[] = "/tmp/crossarch-page-XXXXXX", file[64], link[64];
	mode_t old = umask(027);
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)str_fmt(file, sizeof(file), "%s/a.html", dir);
	(void)str_fmt(link, sizeof(link), "%s/b.html", dir);
	assert_int_equal(symlink("a.html", link), 0);
	write_to(file, "one");
	write_to(link, "second");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(file, &st), 0);
	assert_int_equal(st.st_size, 6);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_refused(dir, "is a directory");
	assert_refused("/dev/null", "is no ordinary file");
	assert_refused("", "no file can be called");
	assert_refused("/nowhere/x", "/nowhere: No such file");
	(void)str_fmt(link, sizeof(link), "%s/c/", dir);
	assert_refused(link, "is no name of a file");
	(void)str_fmt(link, sizeof(link), "%s/b.html", dir);
	unlink(link);
	unlink(file);
	assert_int_equal(rmdir(dir), 0);
	umask(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	cmocka_unit_test(test_limit),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_page),
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_tally),
		cmocka_unit_test(test_widths),	cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
