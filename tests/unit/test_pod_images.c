/* SPDX-License-Identifier: Apache-2.0 */
/* Images in manifests: which values are replaced, and that every other byte stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/pod_images.h"

/* "a" becomes "<a>", so what was touched can be seen; "bad" cannot be had. */
static int mark(void *ctx, const char *image, const char **ret, struct err *err)
{
	char *text = ctx;

	if (str_eq(image, "bad"))
		return err_set(err, ERR_NOT_FOUND, "no such image");
	(void)str_fmt(text, 100, "<%s>", image);
	*ret = text;
	return 0;
}

static int rewrite(const char *text, struct buf *out, size_t *n, struct err *err)
{
	char room[100];

	return pod_images_rewrite(text, strlen(text), mark, room, out, n, err);
}

/* @marked is the text as it shall come out; without the brackets it is what goes in. */
static void expect(const char *marked, size_t images)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 20);
	char in[4096], *at = in;
	struct err err = ERR_INIT;
	size_t n = 0;

	assert_true(strlen(marked) < sizeof(in));
	for (const char *c = marked; *c; c++)
		if (*c != '<' && *c != '>')
			*at++ = *c;
	*at = '\0';
	if (rewrite(in, &out, &n, &err) < 0)
		fail_msg("%s in:\n%s", err.text, in);
	assert_string_equal(buf_str(&out), marked);
	assert_int_equal(n, images);
}

static void refused(const char *text, enum err_code code, const char *part)
{
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	size_t n;

	if (rewrite(text, &out, &n, &err) == 0)
		fail_msg("accepted: %s\nas: %s", text, buf_str(&out));
	if (err.code != code || !strstr(err.text, part))
		fail_msg("%s: %s", text, err.text);
}

static void test_kinds(void **state)
{
	(void)state;
	expect("# a pod\napiVersion: v1\nkind: Pod\nmetadata:\n  name: image\nspec:\n"
	       "  containers:\n  - name: a\n    image: <host:5000/a/b:1>   # why\n"
	       "    command: [sh, -c, 'image: no']\n  - image: \"<b>\"\n  -\n    image: '<c>'\n"
	       "  initContainers:\n    - {name: x, image: <d>, args: [a, b]}\n"
	       "  ephemeralContainers: [{image: <e>}]\n"
	       "  volumes:\n  - name: v\n    image:\n      reference: <f>\n      pullPolicy: "
	       "Always\n"
	       "  - image: {reference: \"<g>\"}\n",
	       7);
	expect("kind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n"
	       "          containers:\n          - image: <a>\n---\n# nothing\n---\nkind: "
	       "List\nitems:\n"
	       "- kind: Deployment\n  spec:\n    template:\n      spec:\n        containers:\n"
	       "        - env:\n          - name: A\n            value: b\n          image: "
	       "<b>\n...\n",
	       2);
	expect("{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"image\":\"<a>\"},\n\t{\"image\" : "
	       "\"<b>\"}]}}",
	       2);
	expect("spec:\r\n  containers:\r\n  - image: <a>\r\n    name: b\r\n", 1);
	expect("\xef\xbb\xbfspec:\n  containers: # all\n\n    # one\n    - image: <a>", 1);
	expect("spec: &s !!map\n  containers:\n  - &c\n    image: !!str <a>\n    x: &n 1\n", 1);
}

/* The word stands in many places where it is no container's image. */
static void test_others(void **state)
{
	(void)state;
	expect("image: a\nspec:\n  image: b\n  x:\n  - image: c\n", 0);
	expect("containers:\n- image: a\n", 0);
	expect("spec:\n  containers:\n    image: a\n", 0);
	expect("spec:\n  containers:\n  - env:\n    - image: a\n    image:\n", 0);
	expect("spec:\n  containers:\n  - args:\n    - |\n      spec:\n        containers:\n"
	       "        - image: a\n\n      image: b\n    - |2-\n      image: c\n    image: <d>\n",
	       1);
	expect("data:\n  pod.yaml: |\n    spec:\n      containers:\n      - image: a\n"
	       "spec:\n  containers:\n  - name: \"x\n\n      image: b\"\n    image: <c>\n",
	       1);
	expect("spec:\n  containers:\n  - name: several words\n      image b\n    image: <c>\n", 1);
	expect("spec:\n  containers:\n  - name: it's #1\n    args: ['it''s', \"\\\"image: b\"]\n"
	       "    image: <c>\n",
	       1);
	expect("", 0);
	expect("# nothing\n", 0);
	expect("--- # nothing\n", 0);
	expect("a: b", 0);
	expect("? spec\n: {? containers : [{image: <a>}]}\n", 1);
	expect("spec:\n  containers:\n  - name: \"\xc3\xa4\xe2\x82\xac\" # \xf0\x9f\x90\xb3\n"
	       "    image: \"<\xc3\xbc/b>\"\n",
	       1);
}

static void test_refused(void **state)
{
	(void)state;
	refused("spec:\n  containers:\n  - image: bad\n", ERR_NOT_FOUND, "line 3: no such image");
	refused("spec:\n  containers:\n  - image: >-\n      a\n", ERR_UNSUPPORTED, "line 3");
	refused("spec:\n  containers:\n  - image: a\n      b\n", ERR_UNSUPPORTED, "line 3");
	refused("spec:\n  containers:\n  - image: \"a\\x20\"\n", ERR_UNSUPPORTED, "escapes");
	refused("spec:\n  containers:\n  - image: *x\n", ERR_UNSUPPORTED, "line 3: an alias");
	refused("spec:\n  containers:\n  - <<: *x\n", ERR_UNSUPPORTED, "alias");
	refused("? {a: b}\n: c\n", ERR_INVALID, "line 1: a key that is a mapping");
	refused("spec:\n\tcontainers:\n", ERR_INVALID, "line 2: a tab");
	refused("a: b: c\n", ERR_INVALID, "line 1");
	refused("a: {b: c\n", ERR_INVALID, "flow mapping");
	refused("a: \"b\n", ERR_INVALID, "quote");
	refused("a: b\n   c: d\n", ERR_INVALID, "");
	refused("a:\n    b: c\n  d: e\n", ERR_INVALID, "line 3");
	refused("image: {{ .Values.image }}\n", ERR_INVALID, "line 1");
	refused("a: 'b' c\n", ERR_INVALID, "line 1: while parsing a block mapping");
}

/* Nesting is bounded, and no cut of a manifest makes us read beyond its end. */
static void test_bounds(void **state)
{
	static const char whole[] = "spec: {\"containers\": [{image: a, 'b': !t &x [1, {c: d}]}]}\n"
				    "---\na: |2\n   x\nb:\n- - \"c\\\"\"\n  - 'd'''\n- e: f #\n";
	char deep[400], cut[sizeof(whole)];
	CLEANUP_BUF struct buf out = BUF_INIT(1u << 20);
	struct err err = ERR_INIT;
	size_t n;

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	refused(deep, ERR_LIMIT, "nested");
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = i % 2 ? ' ' : '-';
	refused(deep, ERR_LIMIT, "nested");
	for (size_t i = 0; i < sizeof(whole); i++) {
		(void)str_fmt(cut, sizeof(cut), "%.*s", (int)i, whole);
		(void)!rewrite(cut, &out, &n, &err);
		buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
