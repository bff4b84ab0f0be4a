/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/wish_display.h"

#include <stdio.h>
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/cli/cli.h"
#include "runtime/cli/explain.h"
#include "runtime/cli/output.h"
#include "runtime/cli/verdict.h"
#include "runtime/containerd/image_choice.h"

/* --- one platform of an image ---------------------------------------------------------------- */

json *image_verdict_json(const struct image_verdict *v)
{
	json *o = v->report ? verdict_json(v->report) : json_object_new_object();

	json_put_text(o, "platform", v->member->platform);
	json_put_text(o, "declared", *v->member->declared ? v->member->declared : NULL);
	json_put_text(o, "manifest", v->member->manifest);
	json_put_bool(o, "here", v->member->here);
	json_put_bool(o, "cri", v->chosen);
	if (!v->report)
		json_put_text(o, "unchecked", v->why);
	return o;
}

static void print_member(const struct image_verdict *v)
{
	printf("%s%s\n  manifest %s\n",
	       *v->member->platform ? v->member->platform : "unknown platform",
	       v->chosen ? "  <- what CRI takes on this node" : "", v->member->manifest);
	if (*v->member->declared && !str_eq(v->member->declared, v->member->platform))
		printf("  its configuration declares %s\n", v->member->declared);
}

void image_verdict_print(const struct image_verdict *v)
{
	print_member(v);
	if (v->report)
		verdict_print(v->report, 2);
	else
		printf("  %snot checked%s: %s\n", tone_on(TONE_DIM), tone_off(), v->why);
}

/* --- what a pod would get -------------------------------------------------------------------- */

/* The kubelet pulls by the name before any runtime is asked, and gets nothing. */
static bool fails_before(const struct image_answer *a)
{
	return a->members.index && !a->wish.own;
}

static const struct image_verdict *chosen_verdict(const struct image_answer *a)
{
	return a->wish.chosen ? &a->verdicts[a->wish.chosen - a->members.list] : NULL;
}

static int status_of(const struct image_answer *a)
{
	const struct image_verdict *v = chosen_verdict(a);

	if (a->wish.code || fails_before(a) || !v)
		return CLI_FAILED;
	if (a->wish.pulled)
		return CLI_DONE;
	return v->report ? verdict_status(v->report) : CLI_FAILED;
}

static const char *code_of(const struct image_answer *a)
{
	const struct image_verdict *v = chosen_verdict(a);

	if (fails_before(a))
		return EXPLAIN_NO_MATCH;
	if (a->wish.code)
		return a->wish.code;
	return v && v->report && *v->report->code ? v->report->code : NULL;
}

static void show_json(const struct image_answer *a, const char *wanted)
{
	const struct image_verdict *v = chosen_verdict(a);
	json *out = v ? image_verdict_json(v) : json_object_new_object();

	json_put_text(out, "image", a->name);
	json_put_bool(out, "index", a->members.index);
	json_put_text(out, "wanted", wanted);
	json_put_text(out, "code", code_of(a));
	if (a->wish.code)
		json_put_text(out, "line", a->wish.line);
	json_put_bool(out, "would_pull", a->wish.pulled);
	json_put_number(out, "bytes", (int64_t)a->wish.bytes);
	json_put_text(out, "differs", a->wish.differs);
	json_show(out);
}

static void print_refused(const char *text)
{
	printf("  %srefused%s: %s\n", tone_on(TONE_BAD), tone_off(), text);
}

static void print_pull(const struct image_answer *a, const char *wanted)
{
	char size[40] = "";

	if (a->wish.bytes)
		(void)str_fmt(size, sizeof(size), " (%llu MB)",
			      (unsigned long long)(a->wish.bytes + 999999) / 1000000);
	printf("  %spulled%s: it is not here, so such a pod waits until it has been pulled%s; "
	       "\"crossarch pull --platform %s %s\" does that before\n",
	       tone_on(TONE_WARN), tone_off(), size, wanted, a->name);
}

static void print_differences(const struct image_wish *w)
{
	if (!*w->differs)
		return;
	printf("  other than in %s: %s\n", w->own->platform, w->differs);
	if (w->differs_in_user)
		printf("  %splatform-differs%s: another user, so the pod has to set runAsUser and "
		       "runAsGroup\n",
		       tone_on(TONE_WARN), tone_off());
}

static void print_fate(const struct image_answer *a, const char *wanted)
{
	const struct image_verdict *v = chosen_verdict(a);

	if (fails_before(a))
		print_refused(
			"the kubelet's pull by this name fails with \"no match for platform in "
			"manifest\", before any runtime is asked, because nothing in it is "
			"for this node (crossarch explain " EXPLAIN_NO_MATCH ")");
	else if (a->wish.code)
		print_refused(a->wish.line);
	else if (a->wish.pulled)
		print_pull(a, wanted);
	else if (v && v->report)
		verdict_print(v->report, 2);
	else if (v)
		printf("  %snot checked%s: %s\n", tone_on(TONE_DIM), tone_off(), v->why);
}

static void show_text(const struct image_answer *a, const char *wanted)
{
	char all[500];

	image_choice_text(&a->members, all, sizeof(all));
	printf("%s: %s of %s\n", a->name, a->members.index ? "an index" : "one manifest", all);
	printf("A pod that asks for %s:\n", wanted);
	if (a->wish.chosen)
		print_member(chosen_verdict(a));
	print_fate(a, wanted);
	print_differences(&a->wish);
}

int wish_show(const struct image_answer *a, const struct platform *wanted, bool as_json)
{
	char text[PLATFORM_TEXT];

	platform_format(wanted, text);
	if (as_json)
		show_json(a, text);
	else
		show_text(a, text);
	return status_of(a);
}
