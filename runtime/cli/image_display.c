/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/image_display.h"

#include <stdio.h>

#include "runtime/cli/cli.h"
#include "runtime/cli/output.h"
#include "runtime/cli/verdict.h"
#include "runtime/cli/wish_display.h"

json *image_answer_json(const struct image_answer *a)
{
	json *o = json_object_new_object(), *list = json_object_new_array();

	json_put_text(o, "image", a->name);
	json_put_bool(o, "index", a->members.index);
	for (size_t i = 0; i < a->members.n; i++)
		json_object_array_add(list, image_verdict_json(&a->verdicts[i]));
	json_object_object_add(o, "platforms", list);
	return o;
}

void image_answer_print_platforms(const struct image_answer *a)
{
	printf("%s: %s of %zu platform%s\n", a->name,
	       a->members.index ? "an index" : "one manifest", a->members.n,
	       a->members.n == 1 ? "" : "s");
	for (size_t i = 0; i < a->members.n; i++)
		image_verdict_print(&a->verdicts[i]);
}

void image_answer_print(const struct image_answer *a)
{
	image_answer_print_platforms(a);
	if (a->choice < 0)
		printf("%sCRI takes none of them here%s: a pull on this node fails with \"no match "
		       "for platform in manifest\", before any runtime is asked. \"crossarch "
		       "explain "
		       "no-match-for-platform\" has the ways out.\n",
		       tone_on(TONE_BAD), tone_off());
	else if (a->members.index && a->members.n > 1)
		printf("Another platform: the annotation io.crossarch.platform in a pod; "
		       "\"crossarch check %s --platform P\" says what comes of it.\n",
		       a->name);
}

int image_answer_status(const struct image_answer *a)
{
	const struct report *r = a->choice < 0 ? NULL : a->verdicts[a->choice].report;

	return r ? verdict_status(r) : CLI_FAILED;
}

const char *image_answer_advice(const struct image_answer *a, const struct err *err)
{
	if (!a->connected)
		return ". Is containerd running, is --address its socket, and are you root?";
	if (err->code == ERR_NOT_FOUND)
		return ". \"ctr -n NAMESPACE images ls -q\" lists the names there are; --namespace "
		       "chooses another one.";
	return "";
}
