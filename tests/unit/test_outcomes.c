/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of outcomes: adding from many processes, reading, and a file that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/outcomes.h"
#include "runtime/base/str.h"
#include "runtime/cli/metrics.h"

#define WRITERS 8
#define EACH 500

struct place {
	char dir[64], file[96];
	struct outcome_row rows[OUTCOMES_MAX + 1];
	size_t n;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char top[] = "/tmp/crossarch-outcomes-XXXXXX";

	assert_non_null(p);
	assert_non_null(mkdtemp(top));
	str_fmt(p->dir, sizeof(p->dir), "%s/d", top);
	str_fmt(p->file, sizeof(p->file), "%s/" OUTCOMES_NAME, p->dir);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	unlink(p->file);
	rmdir(p->dir);
	p->dir[strlen(p->dir) - 2] = '\0';
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static int count(const struct place *p, const char *verdict, const char *code, struct err *err)
{
	const struct outcome o = { verdict, code, "linux/arm64", "runc" };

	return outcome_count(p->dir, OUTCOMES_NAME, &o, err);
}

static uint64_t counted(struct place *p, const char *verdict, const char *code)
{
	struct err err = ERR_INIT;

	assert_int_equal(outcomes_read(p->file, p->rows, &p->n, &err), 0);
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->rows[i].verdict, verdict) && str_eq(p->rows[i].code, code))
			return p->rows[i].count;
	return 0;
}

static void test_count(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct stat st;

	assert_int_equal(counted(p, OUTCOME_NATIVE, ""), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(count(p, OUTCOME_NATIVE, "", &err), 0);
	assert_int_equal(count(p, OUTCOME_REFUSED, "no-emulator", &err), 0);
	assert_int_equal(counted(p, OUTCOME_NATIVE, ""), 3);
	assert_int_equal(counted(p, OUTCOME_REFUSED, "no-emulator"), 1);
	assert_int_equal(p->n, 2);
	assert_string_equal(p->rows[0].platform, "linux/arm64");
	assert_string_equal(p->rows[0].runtime, "runc");
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* Nothing is lost, and what two saw first at once is one row. */
static void test_at_once(void **state)
{
	struct place *p = *state;
	pid_t pid[WRITERS];

	for (int w = 0; w < WRITERS; w++) {
		pid[w] = fork();
		assert_true(pid[w] >= 0);
		for (int i = 0; !pid[w] && i < EACH; i++) {
			struct err err = ERR_INIT;

			if (count(p, OUTCOME_EMULATED, "", &err) < 0 ||
			    count(p, OUTCOME_CRASHED, i % 2 ? "a" : "b", &err) < 0)
				_exit(1);
		}
		if (!pid[w])
			_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		int status;

		assert_int_equal(waitpid(pid[w], &status, 0), pid[w]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(counted(p, OUTCOME_EMULATED, ""), WRITERS * EACH);
	assert_int_equal(counted(p, OUTCOME_CRASHED, "a"), WRITERS * EACH / 2);
	assert_int_equal(counted(p, OUTCOME_CRASHED, "b"), WRITERS * EACH / 2);
	assert_int_equal(p->n, 3);
}

/* However many kinds somebody invents, the file keeps its size, and what was there first its count.
 */
static void test_too_many(void **state)
{
	struct place *p = *state;
	struct stat before, after;
	struct err err = ERR_INIT;
	char code[32];

	assert_int_equal(count(p, OUTCOME_NATIVE, "", &err), 0);
	assert_int_equal(stat(p->file, &before), 0);
	for (unsigned int i = 0; i < OUTCOMES_MAX + 20; i++) {
		str_fmt(code, sizeof(code), "code-%u", i);
		assert_int_equal(count(p, OUTCOME_REFUSED, code, &err), 0);
	}
	assert_int_equal(count(p, OUTCOME_NATIVE, "", &err), 0);
	assert_int_equal(counted(p, OUTCOME_NATIVE, ""), 2);
	assert_int_equal(counted(p, OUTCOMES_OTHER, ""), 21);
	assert_int_equal(p->n, OUTCOMES_MAX + 1);
	assert_int_equal(stat(p->file, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
}

/* Codes and platforms come from who has read the image. */
static void test_words(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	char longest[200];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(count(p, OUTCOME_REFUSED, "a b\"c\\d\ne\xff", &err), 0);
	assert_int_equal(count(p, OUTCOME_REFUSED, longest, &err), 0);
	assert_int_equal(counted(p, OUTCOME_REFUSED, "a_b_c_d_e_"), 1);
	longest[31] = '\0';
	assert_int_equal(counted(p, OUTCOME_REFUSED, longest), 1);
}

static void test_no_such_file(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	FILE *f;

	assert_int_equal(mkdir(p->dir, 0700), 0);
	f = fopen(p->file, "w");
	assert_non_null(f);
	fputs("something else", f);
	fclose(f);
	assert_int_equal(count(p, OUTCOME_NATIVE, "", &err), -1);
	assert_non_null(strstr(err.text, p->file));
	assert_int_equal(outcomes_read(p->file, p->rows, &p->n, &err), -1);
	assert_non_null(strstr(err.text, p->file));
	unlink(p->file);
	assert_int_equal(symlink("/etc/passwd", p->file), 0);
	assert_int_equal(count(p, OUTCOME_NATIVE, "", &err), -1);
}

/* --- as text -------------------------------------------------------------------------------- */

static void test_text(void **state)
{
	struct place *p = *state;
	struct node n = NODE_INIT;
	struct buf CLEANUP_BUF text = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	char rearmed[128];
	FILE *f;

	assert_int_equal(count(p, OUTCOME_REFUSED, "no-emulator", &err), 0);
	assert_int_equal(count(p, OUTCOME_CRASHED, "page-size", &err), 0);
	assert_int_equal(count(p, OUTCOME_PULLED, "", &err), 0);
	str_fmt(rearmed, sizeof(rearmed), "%s/rearmed", p->dir);
	f = fopen(rearmed, "w");
	assert_non_null(f);
	fputs("qemu-aarch64 3\nnonsense\nmore words than 2\nqemu-s390x 1\n", f);
	fclose(f);
	assert_int_equal(metrics_write(&n, p->file, rearmed, &text, &err), 0);
	unlink(rearmed);
	assert_non_null(
		strstr(buf_str(&text),
		       "crossarch_containers_total{platform=\"linux/arm64\",verdict=\"refused\","
		       "code=\"no-emulator\",runtime=\"runc\"} 1\n"));
	assert_non_null(strstr(buf_str(&text),
			       "crossarch_explained_exits_total{platform=\"linux/arm64\","
			       "code=\"page-size\"} 1\n"));
	assert_non_null(strstr(buf_str(&text), "crossarch_pulls_total{platform=\"linux/arm64\","
					       "result=\"pulled\"} 1\n"));
	assert_non_null(strstr(buf_str(&text), "rearmed_total{emulator=\"qemu-aarch64\"} 3\n"));
	assert_non_null(strstr(buf_str(&text), "rearmed_total{emulator=\"qemu-s390x\"} 1\n"));
	assert_null(strstr(buf_str(&text), "nonsense"));
	assert_null(strstr(buf_str(&text), "\"more\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_such_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
