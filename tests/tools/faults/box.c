/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/cgroup_mover.h"
#include "tests/tools/faults/actions.h"
#include "tests/tools/faults/bundle.h"

/* An engine may report success and not have killed anybody; whoever stops a pod then asks again. */
#define STOP_BOUND_MS 5000

int box_make(struct pod *pod, const char *id, const char *const *program, struct box *ret,
	     struct err *err)
{
	*ret = (struct box){ .pod = pod, .from = sink_count(pod->w) };
	str_copy(ret->id, sizeof(ret->id), id);
	if (!str_fmt(ret->bundle, sizeof(ret->bundle), "%s/b/%s", pod->w->dir, id))
		return err_set(err, ERR_INVALID, "FAULTS_DIR is too long");
	return bundle_make(ret, program, err);
}

void box_remove(struct box *b)
{
	bundle_remove(b->bundle);
}

/* --- the shim --------------------------------------------------------------------------------- */

static bool file_holds(int pid, const char *name, const char *wanted, size_t n)
{
	struct buf CLEANUP_BUF text = BUF_INIT(65536);
	char path[64];
	struct err err;

	str_fmt(path, sizeof(path), "/proc/%d/%s", pid, name);
	return file_read(AT_FDCWD, path, &text, &err) == 0 && text.len &&
	       memmem(text.data, text.len, wanted, n);
}

/*
 * It became our child when its `start` ended: this process is a subreaper. So may, for a moment,
 * what a killed one before it forked; that has another name.
 */
static pid_t find_shim(const struct box *first)
{
	CLEANUP_FILE FILE *file = NULL;
	char path[64], wanted[128];
	size_t n;
	int child;

	str_fmt(wanted, sizeof(wanted), "-id%c%s", '\0', first->id);
	n = strlen("-id") + 1 + strlen(first->id) + 1;
	str_fmt(path, sizeof(path), "/proc/%d/task/%d/children", getpid(), getpid());
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &child) == 1)
		if (file_holds(child, "cmdline", wanted, n) &&
		    !file_holds(child, "comm", CGROUP_MOVER_NAME, strlen(CGROUP_MOVER_NAME)))
			return child;
	return 0;
}

static int take_address(struct pod *pod, const struct buf *printed, struct err *err)
{
	const char *path = str_after(buf_str(printed), "unix://");

	if (!path || !str_copy(pod->socket, sizeof(pod->socket), path))
		return err_set(err, ERR_INVALID, "no address: \"%.200s\"", buf_str(printed));
	return 0;
}

int box_boot(struct box *b, struct trace *t, const struct fault *f, struct err *err)
{
	struct buf CLEANUP_BUF out = BUF_INIT(65536);
	struct pod *pod = b->pod;

	if (action_run(b, "start", t, f, &out, err) < 0 || take_address(pod, &out, err) < 0)
		return -1;
	if (pod->peer.fd >= 0)
		return 0;
	/* The kernel's list of children may miss one while it changes. */
	for (int tries = 0; tries < 100 && !(pod->shim = find_shim(b)); tries++)
		pause_ms(2);
	return peer_open(pod->socket, &pod->peer, err);
}

int box_clean(struct box *b, struct trace *t, const struct fault *f, struct err *err)
{
	struct buf CLEANUP_BUF out = BUF_INIT(65536);

	return action_run(b, "delete", t, f, &out, err);
}

/* Everybody who became ours and ended; the shim's end is noted. */
bool pod_alive(struct pod *pod)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		if (pid == pod->shim)
			pod->shim = 0;
	return pod->shim > 0;
}

int pod_end(struct pod *pod, struct err *err)
{
	Crossarch__ProcessRequest request = CROSSARCH__PROCESS_REQUEST__INIT;
	uint64_t until = now_ms() + 7000;

	request.id = pod->group;
	if (pod_alive(pod) && peer_ask(&pod->peer, "Shutdown", &request.base, NULL, err) < 0 &&
	    err->code == ERR_TIMEOUT)
		return -1;
	while (pod_alive(pod) && now_ms() < until)
		pause_ms(2);
	peer_close(&pod->peer);
	if (pod->shim)
		return err_set(err, ERR_TIMEOUT, "the shim does not end");
	return 0;
}

/* --- requests --------------------------------------------------------------------------------- */

int box_send(struct box *b, const char *method, const char *exec_id, uint32_t *ret, struct err *err)
{
	Crossarch__ProcessRequest request = CROSSARCH__PROCESS_REQUEST__INIT;

	request.id = b->id;
	request.exec_id = (char *)(uintptr_t)exec_id;
	return peer_send(&b->pod->peer, method, &request.base,
			 str_eq(method, "Wait") ? 0 : b->bound_ms, ret, err);
}

int box_ask(struct box *b, const char *method, const char *exec_id, struct buf *ret_reply,
	    struct err *err)
{
	uint32_t stream;

	if (box_send(b, method, exec_id, &stream, err) < 0)
		return -1;
	return peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, ret_reply, err) < 0
		       ? err_in(err, "%s", method)
		       : 0;
}

int box_send_create(struct box *b, unsigned int bound_ms, uint32_t *ret, struct err *err)
{
	Crossarch__CreateTaskRequest request = CROSSARCH__CREATE_TASK_REQUEST__INIT;
	char upper[300], work[300], lower[PATH_MAX], overlay[] = "overlay", uids[40], gids[40];
	Crossarch__Mount mount = CROSSARCH__MOUNT__INIT, *mounts[] = { &mount };
	char *words[] = { upper, work, lower, uids, gids };
	struct options options;

	str_fmt(upper, sizeof(upper), "upperdir=%s/upper", b->bundle);
	str_fmt(work, sizeof(work), "workdir=%s/work", b->bundle);
	str_fmt(lower, sizeof(lower), "lowerdir=%s",
		b->emulated ? b->pod->w->foreign : b->pod->w->root);
	mount.type = mount.source = overlay;
	mount.options = words;
	mount.n_options = b->mapped ? ARRAY_SIZE(words) : 3;
	str_fmt(uids, sizeof(uids), "uidmap=0:%d:65536", MAPPED_ID);
	str_fmt(gids, sizeof(gids), "gidmap=0:%d:65536", MAPPED_ID);
	options_pack(b, &options);
	request.id = b->id;
	request.bundle = b->bundle;
	request.rootfs = mounts;
	request.n_rootfs = 1;
	request.options = &options.any;
	if (b->out)
		request.stdout = (char *)(uintptr_t)b->out;
	return peer_send(&b->pod->peer, "Create", &request.base, bound_ms, ret, err);
}

int box_create(struct box *b, struct err *err)
{
	struct buf CLEANUP_BUF reply = BUF_INIT(4096);
	Crossarch__PidResponse *m;
	uint32_t stream;

	if (box_send_create(b, b->bound_ms, &stream, err) < 0 ||
	    peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, &reply, err) < 0)
		return err_in(err, "Create");
	m = crossarch__pid_response__unpack(NULL, reply.len, reply.data);
	b->init = m ? (pid_t)m->pid : 0;
	if (m)
		crossarch__pid_response__free_unpacked(m, NULL);
	b->created = true;
	b->wanted |= EV_CREATE;
	return b->init ? 0 : err_set(err, ERR_INVALID, "Create: no pid");
}

int box_start(struct box *b, struct err *err)
{
	b->maybe |= EV_START;
	if (box_ask(b, "Start", "", NULL, err) < 0)
		return -1;
	b->started = true;
	b->wanted |= EV_START | EV_EXIT;
	return 0;
}

int box_send_exec(struct box *b, const char *exec_id, const char *const *program, uint32_t *ret,
		  struct err *err)
{
	Crossarch__ExecProcessRequest request = CROSSARCH__EXEC_PROCESS_REQUEST__INIT;
	struct buf CLEANUP_BUF spec = BUF_INIT(65536);
	Crossarch__Any any = CROSSARCH__ANY__INIT;

	if (spec_process(program, b->exec_terminal, &spec, err) < 0)
		return -1;
	any.type_url =
		(char *)(uintptr_t) "types.containerd.io/opencontainers/runtime-spec/1/Process";
	any.value.data = spec.data;
	any.value.len = spec.len;
	request.id = b->id;
	request.exec_id = (char *)(uintptr_t)exec_id;
	request.spec = &any;
	request.terminal = b->exec_terminal;
	if (b->exec_out)
		request.stdout = (char *)(uintptr_t)b->exec_out;
	return peer_send(&b->pod->peer, "Exec", &request.base, b->bound_ms, ret, err);
}

int box_exec(struct box *b, const char *exec_id, const char *const *program, struct err *err)
{
	uint32_t stream;

	b->maybe |= EV_EXEC_ADDED | EV_EXEC_STARTED | EV_EXEC_EXIT;
	if (box_send_exec(b, exec_id, program, &stream, err) < 0 ||
	    peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, NULL, err) < 0)
		return err_in(err, "Exec");
	b->wanted |= EV_EXEC_ADDED;
	if (box_ask(b, "Start", exec_id, NULL, err) < 0)
		return err_in(err, "exec");
	b->wanted |= EV_EXEC_STARTED | EV_EXEC_EXIT;
	if (box_ask(b, "Wait", exec_id, NULL, err) < 0)
		return err_in(err, "exec");
	return 0;
}

int box_exec_twice(struct box *b, const char *exec_id, const char *const *program, struct err *err)
{
	struct err again;

	if (box_exec(b, exec_id, program, err) == 0)
		return 0;
	if (err->code == ERR_PRECONDITION && box_ask(b, "Start", exec_id, NULL, &again) < 0 &&
	    again.code != ERR_PRECONDITION) {
		*err = again;
		return err_in(err, "the same exec again");
	}
	return -1;
}

int box_kill(struct box *b, struct err *err)
{
	Crossarch__KillRequest request = CROSSARCH__KILL_REQUEST__INIT;
	uint32_t stream;

	request.id = b->id;
	request.signal = SIGKILL;
	request.all = true;
	b->maybe |= EV_EXIT;
	if (peer_send(&b->pod->peer, "Kill", &request.base, b->bound_ms, &stream, err) < 0 ||
	    peer_wait(&b->pod->peer, stream, RPC_BOUND_MS, NULL, err) < 0)
		return err_in(err, "Kill");
	if (box_send(b, "Wait", "", &stream, err) < 0)
		return -1;
	if (peer_wait(&b->pod->peer, stream, STOP_BOUND_MS, NULL, err) < 0) {
		if (err->code == ERR_TIMEOUT)
			err_set(err, ERR_PRECONDITION, "killed, and still there");
		return err_in(err, "Wait");
	}
	b->wanted |= EV_EXIT;
	return 0;
}

int box_delete(struct box *b, const char *exec_id, struct err *err)
{
	if (!*exec_id)
		b->maybe |= EV_DELETE | EV_EXIT;
	if (box_ask(b, "Delete", exec_id, NULL, err) < 0)
		return -1;
	if (!*exec_id)
		b->wanted |= EV_DELETE | (b->created ? EV_EXIT : 0);
	return 0;
}

int box_runs(struct box *b, struct err *err)
{
	struct buf CLEANUP_BUF reply = BUF_INIT(65536);
	Crossarch__StateResponse *m;
	bool runs;

	if (box_ask(b, "State", "", &reply, err) < 0)
		return -1;
	m = crossarch__state_response__unpack(NULL, reply.len, reply.data);
	runs = m && m->status == 2 && (pid_t)m->pid == b->init && kill(b->init, 0) == 0;
	if (m)
		crossarch__state_response__free_unpacked(m, NULL);
	return runs ? 0 : err_set(err, ERR_PRECONDITION, "%s does not run any more", b->id);
}

/* --- lives ------------------------------------------------------------------------------------ */

static const char *const true_words[] = { "/bin/true", NULL };

int box_life(struct box *b, bool with_exec, struct err *err)
{
	if (box_boot(b, NULL, NULL, err) < 0 || box_create(b, err) < 0 || box_start(b, err) < 0)
		return -1;
	if (with_exec && (box_exec(b, "e", true_words, err) < 0 || box_delete(b, "e", err) < 0))
		return -1;
	if (box_kill(b, err) < 0 || box_delete(b, "", err) < 0 || box_clean(b, NULL, NULL, err) < 0)
		return -1;
	return sink_check(b->pod->w, b->from, b->id, b->wanted, 0, 15000, err);
}

/* Kill and Delete as the kubelet does: again, when one fails. */
static int end_task(struct box *b, struct err *err)
{
	for (int tries = 0; tries < 4; tries++) {
		if (tries)
			pause_ms(200);
		if (box_kill(b, err) < 0 && (err->code == ERR_TIMEOUT || err->code == ERR_IO))
			return -1;
		if (box_delete(b, "", err) == 0 || err->errnum == 5)
			return 0;
		if (err->code != ERR_PRECONDITION)
			return -1;
	}
	return -1;
}

/* Whether the shim can be asked; one that lives but closed the connection is called again. */
static bool reachable(struct box *b)
{
	struct pod *pod = b->pod;
	struct err err;

	if (!pod_alive(pod))
		return false;
	if (box_ask(b, "Connect", "", NULL, &err) == 0 || err.code != ERR_IO)
		return true;
	for (int tries = 0; tries < 50 && pod_alive(pod); tries++)
		pause_ms(10); /* it is about to go */
	if (!pod_alive(pod))
		return false;
	peer_close(&pod->peer);
	return peer_open(pod->socket, &pod->peer, &err) == 0;
}

int box_rescue(struct box *b, struct err *err)
{
	if (reachable(b) && end_task(b, err) < 0 && (err->code != ERR_IO || pod_alive(b->pod)))
		return err_in(err, "after the fault");
	return box_clean(b, NULL, NULL, err);
}
