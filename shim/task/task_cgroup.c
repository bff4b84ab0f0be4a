/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/task_cgroup.h"

#include "runtime/base/log.h"
#include "shim/host/cgroup.h"
#include "shim/host/metrics.h"
#include "shim/host/oom.h"
#include "shim/task/task_events.h"

struct task_host {
	struct cgroup cgroup;
	struct oom oom;
	struct task *task;
	struct buf last; /* the statistics when init had just ended, where the cgroup may go then */
};

static void on_oom(struct oom *oom)
{
	struct task_host *h = container_of(oom, struct task_host, oom);

	log_warning(task_subject(h->task),
		    "the kernel killed a process of the container: out of memory");
	publish_oom(h->task);
}

void task_cgroup_open(struct task *t)
{
	struct task_host *h = calloc(1, sizeof(*h));
	struct err err;

	if (!h)
		return;
	*h = (struct task_host){ .task = t, .oom = OOM_INIT, .last = BUF_INIT(METRICS_MAX) };
	if (cgroup_open(&h->cgroup, t->init.pid, &err) < 0) {
		log_write(LOG_WARNING, task_subject(t), LOG_FIELDS(.error = err.text),
			  "no statistics");
		free(h);
		return;
	}
	if (oom_watch(&h->oom, t->context->loop, &h->cgroup, on_oom, &err) < 0)
		log_write(LOG_DEBUG, task_subject(t), LOG_FIELDS(.error = err.text),
			  "no OOM events");
	t->host = h;
}

void task_cgroup_close(struct task *t)
{
	if (!t->host)
		return;
	oom_deinit(&t->host->oom);
	cgroup_deinit(&t->host->cgroup);
	buf_deinit(&t->host->last);
	free(t->host);
	t->host = NULL;
}

/*
 * containerd asks for the statistics of a container that has ended, to see whether it was for want
 * of memory (2.3 and later). The cgroup is there until the engine deletes it, but a systemd scope
 * is systemd's to remove, which it does when the last process has left.
 */
static void keep_last(struct task *t)
{
	struct err err;

	if (!t->systemd_cgroup || t->host->last.len)
		return;
	if (metrics_read(&t->host->cgroup, &t->host->last, &err) < 0)
		log_write(LOG_DEBUG, task_subject(t), LOG_FIELDS(.error = err.text),
			  "no last statistics");
}

void task_cgroup_process_exited(struct task *t)
{
	if (!t->host)
		return;
	oom_check(&t->host->oom);
	if (t->init.exited)
		keep_last(t);
}

/* init and the execs we know of: less than the truth, never nothing while something lives. */
static void known_pids(const struct task *t, pid_t **ret, size_t *ret_n)
{
	pid_t *pids = calloc(t->n_execs + 1, sizeof(*pids));
	size_t n = 0;

	*ret = pids;
	if (pids && t->init.pid && !t->init.exited)
		pids[n++] = t->init.pid;
	list_for_each(node, &t->execs) {
		const struct process *p = list_entry(node, struct process, in_task);

		if (pids && p->pid && !p->exited)
			pids[n++] = p->pid;
	}
	*ret_n = n;
}

void task_cgroup_pids(const struct task *t, pid_t **ret, size_t *ret_n)
{
	struct err err;

	*ret = NULL;
	*ret_n = 0;
	if (t->host && cgroup_pids(&t->host->cgroup, ret, ret_n, &err) == 0 && *ret_n)
		return;
	free(*ret);
	known_pids(t, ret, ret_n);
}

int task_cgroup_stats(const struct task *t, struct buf *ret, const char **ret_type, struct err *err)
{
	if (!t->host)
		return err_set(err, ERR_NOT_FOUND, "cgroup does not exist");
	*ret_type = metrics_type_url(&t->host->cgroup);
	if (metrics_read(&t->host->cgroup, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND || !t->host->last.len)
		return -1;
	ret->len = 0;
	return buf_add(ret, t->host->last.data, t->host->last.len, err);
}
