/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "runtime/base/str.h"
#include "tests/tools/faults/stage.h"

static const char *const sleep_words[] = { "/bin/sleep", "100000", NULL };
static const char *const true_words[] = { "/bin/true", NULL };

int stage_up(struct stage *s, struct err *err)
{
	s->pod = (struct pod){ .w = s->w, .peer.fd = -1 };
	str_fmt(s->pod.group, sizeof(s->pod.group), "pod-%s-%u", s->w->engine, s->serial++);
	if (box_make(&s->pod, s->pod.group, sleep_words, &s->sibling, err) < 0 ||
	    box_boot(&s->sibling, NULL, NULL, err) < 0 || box_create(&s->sibling, err) < 0 ||
	    box_start(&s->sibling, err) < 0)
		return err_in(err, "a new pod");
	return 0;
}

static int end_pod(struct stage *s, struct err *err)
{
	const pid_t known[] = { sink_pid(s->w), s->beside };

	if (box_rescue(&s->sibling, err) < 0 || pod_end(&s->pod, err) < 0 ||
	    box_clean(&s->sibling, NULL, NULL, err) < 0 || left_by_box(&s->sibling, err) < 0 ||
	    left_socket(&s->pod, err) < 0)
		return -1;
	(void)pod_alive(&s->pod);
	return left_children(getpid(), known, ARRAY_SIZE(known), err);
}

int stage_down(struct stage *s, struct err *err)
{
	if (end_pod(s, err) < 0)
		return err_in(err, "the pod's end");
	box_remove(&s->sibling);
	return 0;
}

static int check_descriptors(struct stage *s, struct err *err)
{
	uint64_t until = now_ms() + 4000;
	struct usage now;

	do {
		if (usage_of(s->pod.shim, &now, err) < 0)
			return -1;
		if (now.descriptors <= s->idle.descriptors)
			return 0;
		pause_ms(20);
	} while (now_ms() < until);
	return err_set(err, ERR_EXISTS, "the shim has %lu descriptors instead of %lu",
		       now.descriptors, s->idle.descriptors);
}

int stage_check(struct stage *s, struct err *err)
{
	const pid_t known[] = { s->sibling.init };

	if (box_runs(&s->sibling, err) < 0)
		return err_in(err, "the other container");
	if (left_children(s->pod.shim, known, 1, err) < 0)
		return -1;
	return check_descriptors(s, err);
}

int stage_again(struct stage *s, const char *id, struct err *err)
{
	struct box b;

	if (!pod_alive(&s->pod) && (stage_down(s, err) < 0 || stage_up(s, err) < 0))
		return -1;
	if (box_make(&s->pod, id, true_words, &b, err) < 0 || box_life(&b, false, err) < 0 ||
	    left_by_box(&b, err) < 0)
		return err_in(err, "the same id again");
	box_remove(&b);
	return 0;
}
