/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the log: what no value can do to them, their fields and the manual page, and the trace
 * of a request. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/logfmt.h"
#include "runtime/base/str.h"
#include "runtime/base/traceparent.h"
#include "runtime/base/utf8.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define PARENT "00-" TRACE "-" SPAN "-01"
#define MANUAL "hack/man/containerd-shim-crossarch-v2.8"

/* --- one field ------------------------------------------------------------------------------ */

/* The line of one field "k" with @value, in at most @max bytes. */
static const char *field(const char *value, size_t max)
{
	static char line[8192];
	struct logfmt l = { line, sizeof(line) - 1, 0 };

	logfmt_add(&l, "k", value, max);
	line[l.n] = '\0';
	return line;
}

static void test_quoting(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "k=plain" },
		{ "linux/arm64", "k=linux/arm64" },
		{ "a-._/@^+Z9", "k=a-._/@^+Z9" },
		{ "two words", "k=\"two words\"" },
		{ "a=b", "k=\"a=b\"" },
		{ "say \"no\"", "k=\"say \\\"no\\\"\"" },
		{ "\"", "k=\"\\\"\"" },
		{ "end\\", "k=\"end\\\\\"" },
		{ "a\nlevel=info msg=x", "k=\"a\\nlevel=info msg=x\"" },
		{ "a\r\tb", "k=\"a\\r\\tb\"" },
		{ "\x1b[31m", "k=\"\\u001b[31m\"" },
		{ "\x7f", "k=\"\\u007f\"" },
		{ "gr\xc3\xbc\xc3\x9f", "k=\"gr\xc3\xbc\xc3\x9f\"" },
		{ "\xf0\x9f\x90\x8b", "k=\"\xf0\x9f\x90\x8b\"" },
		/* lines end there, for Unicode */
		{ "a\xc2\x85z", "k=\"a\\u0085z\"" },
		{ "a\xe2\x80\xa8z\xe2\x80\xa9", "k=\"a\\u2028z\\u2029\"" },
		/* from right to left */
		{ "a\xe2\x80\xaez", "k=\"a\\u202ez\"" },
		/* no characters: alone, cut short, overlong, a surrogate, beyond Unicode */
		{ "\xff", "k=\"\\ufffd\"" },
		{ "a\xc3", "k=\"a\\ufffd\"" },
		{ "\xc0\xaf", "k=\"\\ufffd\\ufffd\"" },
		{ "\xed\xa0\x80", "k=\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf4\x90\x80\x80", "k=\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		/* a tag, which no \u of four digits says */
		{ "\xf3\xa0\x80\x81", "k=\"\\ufffd\"" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(field(cases[i][0], 100), cases[i][1]);
	assert_string_equal(field(NULL, 100), "");
}

/* Whatever the bytes are: one line, valid UTF-8, and the quotes are where they belong. */
static void check_line(const char *line)
{
	bool quoted = false;

	while (*line) {
		uint32_t c;
		size_t n = utf8_decode((const unsigned char *)line, &c);

		assert_true(n > 0);
		assert_true(utf8_is_shown(c));
		if (quoted && c == '\\') {
			assert_non_null(strchr("\"\\ntru", line[1]));
			n++;
		} else if (c == '"') {
			quoted = !quoted;
		}
		line += n;
	}
	assert_false(quoted);
}

static void test_any_bytes(void **state)
{
	uint32_t seed = 1;
	char value[64];

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(value) - 1; k++) {
			seed = seed * 1664525 + 1013904223;
			value[k] = (char)(seed >> 24);
		}
		value[sizeof(value) - 1 - i % 60] = '\0';
		for (size_t max = 8; max < 400; max += 97) {
			assert_true(strlen(field(value, max)) <= strlen("k=") + max);
			check_line(field(value, max));
		}
	}
}

static void test_cut(void **state)
{
	static const struct {
		const char *value;
		size_t max;
		const char *want;
	} cases[] = {
		{ "12345678", 8, "k=12345678" },
		{ "123456789", 8, "k=\"123...\"" },
		{ "1 345678", 10, "k=\"1 345678\"" },
		{ "1 3456789", 10, "k=\"1 345...\"" },
		/* behind a whole character, never in one or in what stands for one */
		{ "1234\xc3\xbc\xc3\xbc\xc3\xbc", 11, "k=\"1234\xc3\xbc...\"" },
		{ "12345\xc3\xbc\xc3\xbc\xc3\xbc", 11, "k=\"12345...\"" },
		{ "\xf0\x9f\x90\x8b\xf0\x9f\x90\x8b\xf0\x9f\x90\x8b", 12,
		  "k=\"\xf0\x9f\x90\x8b...\"" },
		{ "12\n\n\n\n", 11, "k=\"12\\n\\n...\"" },
		{ "1234\n\n\n", 10, "k=\"1234...\"" },
		{ "12\x01\x01\x01", 13, "k=\"12\\u0001...\"" },
		{ "\"\"\"\"\"\"", 9, "k=\"\\\"\\\"...\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(field(cases[i].value, cases[i].max), cases[i].want);
}

static void test_no_room(void **state)
{
	char line[32];
	struct logfmt l = { line, sizeof(line), 0 };

	(void)state;
	logfmt_add(&l, "first", "123456", 100);
	logfmt_add(&l, "second", "0123456789abcdef", 100);
	assert_int_equal(l.n, 32);
	assert_memory_equal(line, "first=123456 second=\"0123456...\"", 32);
	logfmt_add(&l, "third", "1", 100);
	assert_int_equal(l.n, 32);
}

/* --- lines ---------------------------------------------------------------------------------- */

struct log_pipe {
	int fd, stderr_fd;
	char line[8192];
};

static int setup(void **state)
{
	struct log_pipe *p = calloc(1, sizeof(*p));
	int ends[2];

	assert_non_null(p);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	p->fd = ends[0];
	p->stderr_fd = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	log_set_level(LOG_INFO);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct log_pipe *p = *state;

	dup2(p->stderr_fd, STDERR_FILENO);
	close(p->stderr_fd);
	close(p->fd);
	free(p);
	return 0;
}

/* What was written, without its time; "" for nothing. */
static const char *written(struct log_pipe *p)
{
	ssize_t n = read(p->fd, p->line, sizeof(p->line) - 1);
	const char *rest;

	p->line[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		return "";
	assert_int_equal(p->line[n - 1], '\n');
	p->line[n - 1] = '\0';
	assert_null(strchr(p->line, '\n'));
	check_line(p->line);
	rest = str_after(p->line, "time=\"");
	assert_non_null(rest);
	assert_int_equal(strcspn(rest, "\""), strlen("2026-01-01T00:00:00.000000000Z"));
	return strchr(rest, '"') + 2;
}

static const struct log_subject everything = {
	.namespace = "k8s.io",
	.sandbox = "pod",
	.id = "container",
	.exec_id = "exec",
	.traceparent = PARENT,
};

static void test_all_fields(void **state)
{
	log_write(LOG_WARNING, everything,
		  LOG_FIELDS(.code = "no-emulator", .verdict = "refused", .error = "e",
			     .platform = "linux/s390x", .handler = "qemu-s390x",
			     .engine = "/usr/sbin/runc", .program = "/bin/sh"),
		  "refused: %s", "why");
	assert_string_equal(
		written(*state),
		"level=warning msg=\"refused: why\" runtime=io.containerd.crossarch.v2 "
		"namespace=k8s.io sandbox_id=pod id=container exec_id=exec trace_id=" TRACE
		" span_id=" SPAN " verdict=refused code=no-emulator platform=linux/s390x "
		"handler=qemu-s390x engine=/usr/sbin/runc program=/bin/sh error=e");
}

static void test_nothing_known(void **state)
{
	const struct log_subject empty = { .namespace = "", .id = "", .traceparent = "" };

	log_info(LOG_NOTHING, "x");
	assert_string_equal(written(*state), "level=info msg=x runtime=io.containerd.crossarch.v2");
	log_info(empty, "x");
	assert_string_equal(written(*state), "level=info msg=x runtime=io.containerd.crossarch.v2");
}

static void test_levels(void **state)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	char begin[32];

	for (size_t at = 0; at < ARRAY_SIZE(names); at++) {
		enum log_level level;

		assert_true(log_level_parse(names[at], &level));
		log_set_level(level);
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			log_write((enum log_level)i, LOG_NOTHING, NULL, "x");
			(void)str_fmt(begin, sizeof(begin), "level=%s msg=x ", names[i]);
			if (i <= at)
				assert_non_null(str_after(written(*state), begin));
			else
				assert_string_equal(written(*state), "");
		}
	}
	assert_false(log_level_parse("trace", &(enum log_level){ LOG_INFO }));
}

/* The longest that can be handed in: whole, in one piece of PIPE_BUF at most. */
static void test_longest(void **state)
{
	static char quotes[5000];
	struct log_pipe *p = *state;
	const struct log_subject about = { quotes, quotes, quotes, quotes, PARENT };
	const char *line;

	memset(quotes, '"', sizeof(quotes) - 1);
	log_write(LOG_ERROR, about,
		  LOG_FIELDS(quotes, quotes, quotes, quotes, quotes, quotes, quotes), "%s", quotes);
	line = written(p);
	assert_true(strlen(p->line) + 1 <= 4096);
	assert_non_null(strstr(line, " trace_id=" TRACE " "));
	assert_non_null(strstr(line, "...\" runtime="));
}

/* The line of a diagnosis at its longest stays whole. */
static void test_diagnosis_is_whole(void **state)
{
	char text[1024];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "\"\"\"\"\"\"", 6);
	log_info(LOG_NOTHING, "refused: %s", text);
	assert_non_null(strstr(written(*state), "xxx\" runtime="));
}

static void test_hostile(void **state)
{
	const char *line;

	log_write(LOG_INFO, (struct log_subject){ .id = "a\" level=error id=\"b\n" },
		  LOG_FIELDS(.program = "/bin/x\" verdict=native \"\ntime=x level=info msg=y"),
		  "%s", "m\"\nlevel=error msg=\"z");
	line = written(*state);
	assert_string_equal(line, "level=info msg=\"m\\\"\\nlevel=error msg=\\\"z\" "
				  "runtime=io.containerd.crossarch.v2 "
				  "id=\"a\\\" level=error id=\\\"b\\n\" "
				  "program=\"/bin/x\\\" verdict=native \\\"\\ntime=x level=info "
				  "msg=y\"");
}

static void test_nobody_reads(void **state)
{
	struct log_pipe *p = *state;
	int n = 0;

	/* A full pipe: lines are dropped whole. */
	for (size_t i = 0; i < 2000; i++)
		log_info(LOG_NOTHING, "%0500zu", i);
	for (ssize_t got; (got = read(p->fd, p->line, sizeof(p->line))) > 0; n++)
		if (!p->line[0])
			break;
	log_info(LOG_NOTHING, "again");
	assert_non_null(str_after(written(p), "level=info msg=again "));
}

/* --- the table ------------------------------------------------------------------------------ */

/* Every field of the code is in the manual page's list, in the same order, and nothing else is. */
static void test_manual(void **state)
{
	struct buf CLEANUP_BUF text = BUF_INIT(1u << 20);
	const char *rest, *line, *name;
	size_t n, i = 0;
	struct err err;
	bool here = false;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, MANUAL, &text, &err), 0);
	rest = buf_str(&text);
	while (str_line(&rest, &line, &n)) {
		if (str_after(line, ".SH"))
			here = str_after(line, ".SH LOG\n") != NULL;
		name = here ? str_after(line, ".B ") : NULL;
		if (!name)
			continue;
		assert_non_null(log_field_name(i));
		assert_int_equal(strcspn(name, "\n"), strlen(log_field_name(i)));
		assert_memory_equal(name, log_field_name(i), strlen(log_field_name(i)));
		i++;
	}
	assert_null(log_field_name(i));
	assert_true(i > 10);
}

/* --- traces --------------------------------------------------------------------------------- */

static void test_traceparent(void **state)
{
	struct trace t;

	(void)state;
	assert_true(traceparent_parse(PARENT, &t));
	assert_string_equal(t.trace_id, TRACE);
	assert_string_equal(t.span_id, SPAN);
	assert_int_equal(strlen(PARENT), TRACEPARENT_LEN);
	assert_true(traceparent_parse("00-" TRACE "-" SPAN "-00", &t));
	/* of a version to come, which may have more */
	assert_true(traceparent_parse("01-" TRACE "-" SPAN "-01", &t));
	assert_true(traceparent_parse("fe-" TRACE "-" SPAN "-01-more \n", &t));
	assert_string_equal(t.trace_id, TRACE);
}

static void test_no_traceparent(void **state)
{
	static const char *const cases[] = {
		"",
		"-",
		"00",
		"00-",
		TRACE,
		"00-" TRACE,
		"00-" TRACE "-" SPAN,
		"00-" TRACE "-" SPAN "-",
		"00-" TRACE "-" SPAN "-0",
		"00-" TRACE "-" SPAN "-001",
		"00-" TRACE "-" SPAN "-01-",
		"00-" TRACE "-" SPAN "-01-more",
		"00-" TRACE "-" SPAN "-01 ",
		"00-" TRACE "-" SPAN "-01\n",
		"fe-" TRACE "-" SPAN "-01more",
		"ff-" TRACE "-" SPAN "-01",
		"0-" TRACE "-" SPAN "-01",
		"00_" TRACE "-" SPAN "-01",
		"00-" TRACE "0-" SPAN "-01",
		"00-" TRACE "-0" SPAN "-01",
		"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
		"00-0af7651916cd43dd8448eb211c80319g-" SPAN "-01",
		"00-0af7651916cd43dd8448eb211c80319\n-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" TRACE "-0000000000000000-01",
	};
	struct trace t;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct log_subject about = { .traceparent = cases[i] };

		assert_false(traceparent_parse(cases[i], &t));
		log_info(about, "x");
		assert_string_equal(written(*state),
				    "level=info msg=x runtime=io.containerd.crossarch.v2");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test_setup_teardown(test_all_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_known, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_longest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diagnosis_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_reads, setup, teardown),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_traceparent),
		cmocka_unit_test_setup_teardown(test_no_traceparent, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
