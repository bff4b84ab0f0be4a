/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "runtime/base/str.h"
#include "tests/tools/faults/faults.h"

/* Much at once: pods, containers of one pod, execs in one container. */
#define AT_ONCE_MAX 256

static const char *const sleep_words[] = { "/bin/sleep", "100000", NULL };
static const char *const true_words[] = { "/bin/true", NULL };

static int wait_all(struct pod *pod, const uint32_t *streams, unsigned int n, const char *what,
		    struct err *err)
{
	for (unsigned int i = 0; i < n; i++)
		if (peer_wait(&pod->peer, streams[i], 240000, NULL, err) < 0)
			return err_in(err, "%s %u of %u", what, i, n);
	return 0;
}

/* --- pods: a process of ours for each --------------------------------------------------------- */

static int pod_life(struct world *w, unsigned int i, struct err *err)
{
	struct pod pod = { .w = w, .peer.fd = -1 };
	struct box b;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	str_fmt(pod.group, sizeof(pod.group), "crowd-%u", i);
	if (box_make(&pod, pod.group, sleep_words, &b, err) < 0 || box_life(&b, true, err) < 0 ||
	    pod_end(&pod, err) < 0 || box_clean(&b, NULL, NULL, err) < 0 ||
	    left_by_box(&b, err) < 0 || left_socket(&pod, err) < 0 ||
	    left_children(getpid(), NULL, 0, err) < 0)
		return -1;
	box_remove(&b);
	return 0;
}

static void pods_at_once(struct world *w, unsigned int n, struct tally *t)
{
	uint64_t begin = now_ms();
	pid_t pids[AT_ONCE_MAX];
	int status;

	fflush(stdout);
	for (unsigned int i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct err err;
			int rc = pod_life(w, i, &err);

			if (rc < 0)
				printf("# pod %u: %s\n", i, err.text);
			fflush(stdout);
			_exit(rc < 0);
		}
	}
	for (unsigned int i = 0; i < n; i++)
		if (pids[i] < 0 || waitpid(pids[i], &status, 0) < 0 || status)
			loss(t, "pod %u of %u at once", i, n);
	printf("# %u pods at once: %u ms\n", n, (unsigned int)(now_ms() - begin));
}

/* --- containers of one pod -------------------------------------------------------------------- */

static int all(struct box *boxes, unsigned int n, const char *method, struct err *err)
{
	uint32_t streams[AT_ONCE_MAX];

	for (unsigned int i = 0; i < n; i++)
		if (str_eq(method, "Create")
			    ? box_send_create(&boxes[i], 0, &streams[i], err) < 0
			    : box_send(&boxes[i], method, "", &streams[i], err) < 0)
			return -1;
	return wait_all(boxes->pod, streams, n, method, err);
}

static int end_all(struct box *boxes, unsigned int n, struct err *err)
{
	for (unsigned int i = 0; i < n; i++) {
		boxes[i].wanted = EV_CREATE | EV_START;
		if (box_kill(&boxes[i], err) < 0)
			return -1;
	}
	if (all(boxes, n, "Delete", err) < 0)
		return -1;
	for (unsigned int i = 0; i < n; i++) {
		if (box_clean(&boxes[i], NULL, NULL, err) < 0 || left_by_box(&boxes[i], err) < 0 ||
		    sink_check(boxes->pod->w, boxes[i].from, boxes[i].id,
			       boxes[i].wanted | EV_DELETE, 0, 15000, err) < 0)
			return -1;
		box_remove(&boxes[i]);
	}
	return 0;
}

static int containers_at_once(struct pod *pod, unsigned int n, struct err *err)
{
	struct box boxes[AT_ONCE_MAX];
	uint64_t begin = now_ms();
	char id[40];

	for (unsigned int i = 0; i < n; i++) {
		str_fmt(id, sizeof(id), "c-%u", i);
		if (box_make(pod, id, sleep_words, &boxes[i], err) < 0 ||
		    box_boot(&boxes[i], NULL, NULL, err) < 0)
			return -1;
	}
	if (all(boxes, n, "Create", err) < 0 || all(boxes, n, "Start", err) < 0)
		return -1;
	printf("# %u containers of one pod at once: %u ms\n", n, (unsigned int)(now_ms() - begin));
	return end_all(boxes, n, err);
}

/* --- execs ------------------------------------------------------------------------------------ */

static int all_execs(struct box *b, unsigned int n, const char *method, struct err *err)
{
	uint32_t streams[AT_ONCE_MAX];
	char id[40];

	for (unsigned int i = 0; i < n; i++) {
		str_fmt(id, sizeof(id), "e-%u", i);
		if (str_eq(method, "Exec") ? box_send_exec(b, id, true_words, &streams[i], err) < 0
					   : box_send(b, method, id, &streams[i], err) < 0)
			return -1;
	}
	return wait_all(b->pod, streams, n, method, err);
}

static int execs_at_once(struct box *b, unsigned int n, struct err *err)
{
	uint64_t begin = now_ms();

	if (all_execs(b, n, "Exec", err) < 0 || all_execs(b, n, "Start", err) < 0 ||
	    all_execs(b, n, "Wait", err) < 0 || all_execs(b, n, "Delete", err) < 0)
		return -1;
	printf("# %u execs at once: %u ms\n", n, (unsigned int)(now_ms() - begin));
	b->wanted |= EV_EXEC_ADDED | EV_EXEC_STARTED | EV_EXEC_EXIT;
	return 0;
}

static int in_one_pod(struct world *w, unsigned int containers, unsigned int execs, struct err *err)
{
	struct pod pod = { .w = w, .group = "full", .peer.fd = -1 };
	struct usage before, after;
	struct box b;
	uint32_t from;

	if (box_make(&pod, "full", sleep_words, &b, err) < 0 || box_boot(&b, NULL, NULL, err) < 0 ||
	    box_create(&b, err) < 0 || box_start(&b, err) < 0 ||
	    usage_of(pod.shim, &before, err) < 0)
		return -1;
	from = sink_count(w);
	if (execs_at_once(&b, execs, err) < 0 || containers_at_once(&pod, containers, err) < 0)
		return -1;
	/* create and start of the first may still have been on their way */
	if (sink_count(w) - from < 3 * execs + 4 * containers ||
	    sink_count(w) - from > 3 * execs + 4 * containers + 2)
		return err_set(err, ERR_NOT_FOUND, "%u events instead of %u", sink_count(w) - from,
			       3 * execs + 4 * containers);
	pause_ms(200);
	if (usage_of(pod.shim, &after, err) < 0)
		return -1;
	printf("# its shim before and after: %lu and %lu KB private, %lu and %lu descriptors\n",
	       before.private_kb, after.private_kb, before.descriptors, after.descriptors);
	if (after.descriptors > before.descriptors)
		return err_set(err, ERR_EXISTS, "descriptors are left");
	if (box_kill(&b, err) < 0 || box_delete(&b, "", err) < 0 || pod_end(&pod, err) < 0 ||
	    box_clean(&b, NULL, NULL, err) < 0 || left_by_box(&b, err) < 0)
		return -1;
	box_remove(&b);
	return sink_check(w, b.from, b.id, b.wanted, 0, 15000, err);
}

int cmd_crowd(struct world *w, int argc, char **argv, struct err *err)
{
	unsigned int pods = argc > 1 ? (unsigned int)atoi(argv[1]) : 50;
	unsigned int containers = argc > 2 ? (unsigned int)atoi(argv[2]) : 20;
	unsigned int execs = argc > 3 ? (unsigned int)atoi(argv[3]) : 200;
	struct tally t = { .losses = 0 };

	if (pods > AT_ONCE_MAX || containers > AT_ONCE_MAX || execs > AT_ONCE_MAX)
		return err_set(err, ERR_LIMIT, "at most %d of each", AT_ONCE_MAX);
	if (in_one_pod(w, containers, execs, err) < 0)
		loss(&t, "%s", err->text);
	pods_at_once(w, pods, &t);
	printf("crowd: %u pods, %u containers in a pod, %u execs at once with %s, %u losses\n",
	       pods, containers, execs, w->engine, t.losses);
	return t.losses ? err_set(err, ERR_PRECONDITION, "%u losses", t.losses) : 0;
}
