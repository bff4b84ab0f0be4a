/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "runtime/base/str.h"
#include "tests/tools/faults/faults.h"

/*
 * The tracer is a process of its own: it waits for tracees while the test waits for answers. When
 * it is killed, the kernel lets all of them go on.
 */
const char *const role_name[ROLES] = { "itself",	  "a forked child", "prepare",
				       "prepare's child", "image-platform", "the engine",
				       "the new shim" };
const char *const action_name[ACTIONS] = { "SIGKILL", "ENOSPC", "EMFILE", "ENOMEM", "EIO" };
static const int action_errno[ACTIONS] = { 0, ENOSPC, EMFILE, ENOMEM, EIO };

#define TRACEES_MAX 128
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEEXEC)

struct tracee {
	pid_t pid, leader; /* pid 0: a free slot */
	enum role role;
	bool known;   /* its role is settled */
	bool failing; /* the call it is in gets an error at its end */
	bool held;    /* it stays where it is */
};

struct tracer {
	const struct fault *fault;
	struct traced *seen;
	pid_t root;
	bool root_execed;
	bool inside_done; /* what prepare forked waits to be killed, or has ended */
	struct tracee tracees[TRACEES_MAX];
};

/* --- registers ------------------------------------------------------------------------------- */

#if defined(__x86_64__)
static void skip_call(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0) {
		regs.orig_rax = (unsigned long long)-1;
		ptrace(PTRACE_SETREGS, pid, 0, &regs);
	}
}

static void set_result(pid_t pid, int errnum)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0) {
		regs.rax = (unsigned long long)-errnum;
		ptrace(PTRACE_SETREGS, pid, 0, &regs);
	}
}
#elif defined(__aarch64__)
static void skip_call(pid_t pid)
{
	int none = -1;
	struct iovec number = { &none, sizeof(none) };

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &number);
}

static void set_result(pid_t pid, int errnum)
{
	struct user_regs_struct regs;
	struct iovec all = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all) == 0) {
		regs.regs[0] = (unsigned long long)-errnum;
		ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all);
	}
}
#else
#error "say here how a system call is skipped and its result set"
#endif

/* --- who is who ------------------------------------------------------------------------------- */

static long status_field(pid_t pid, const char *name)
{
	char path[64], line[128];
	CLEANUP_FILE FILE *file = NULL;

	str_fmt(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (str_after(line, name))
			return atol(line + strlen(name));
	return 0;
}

static enum role role_of_program(pid_t pid)
{
	char path[64], target[PATH_MAX];
	const char *base;
	ssize_t n;

	str_fmt(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (str_eq(base, "crossarch-prepare"))
		return ROLE_PREPARE;
	if (str_eq(base, "crossarch"))
		return ROLE_PLATFORM;
	if (str_after(base, "containerd-shim"))
		return ROLE_DAEMON;
	return ROLE_ENGINE;
}

static struct tracee *tracee_of(struct tracer *t, pid_t pid)
{
	struct tracee *unused = NULL;

	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (t->tracees[i].pid == pid)
			return &t->tracees[i];
		if (!t->tracees[i].pid && !unused)
			unused = &t->tracees[i];
	}
	ASSERT(unused);
	*unused = (struct tracee){ .pid = pid, .leader = pid, .role = ROLE_FORK };
	return unused;
}

static bool is_prepare(const struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < TRACEES_MAX; i++)
		if (t->tracees[i].pid == pid)
			return t->tracees[i].role == ROLE_PREPARE;
	return false;
}

/* Who may become the parent of those whose calls count is followed as well. */
static bool is_followed(const struct tracer *t, enum role role)
{
	return role == t->fault->role || role == ROLE_FORK || role == ROLE_SELF ||
	       (t->fault->role == ROLE_INSIDE && role == ROLE_PREPARE);
}

/*
 * A thread belongs to its process. A process that is neither a child of the first one nor of its
 * prepare is not ours.
 */
static bool settle(struct tracer *t, struct tracee *e)
{
	pid_t leader = (pid_t)status_field(e->pid, "Tgid:\t");
	pid_t parent = (pid_t)status_field(e->pid, "PPid:\t");

	e->known = true;
	if (e->pid == t->root) {
		e->role = ROLE_SELF;
	} else if (leader && leader != e->pid) {
		e->leader = leader;
		e->role = tracee_of(t, leader)->role;
	} else if (is_prepare(t, parent)) {
		e->role = ROLE_INSIDE;
	} else if (parent != t->root) {
		return false;
	}
	return is_followed(t, e->role);
}

/* crun runs itself again from memory; its role stays what its first program was. */
static bool on_exec(struct tracer *t, struct tracee *e)
{
	if (e->pid == t->root)
		t->root_execed = true;
	else if (e->role == ROLE_FORK)
		e->role = role_of_program(e->pid);
	return e->pid == t->root || (e->role != ROLE_FORK && is_followed(t, e->role));
}

/* --- the fault -------------------------------------------------------------------------------- */

/* Who cannot send, receive or be told that it could, has no way to say so: that fails once. */
static bool is_last_word(uint64_t number)
{
	return number == SYS_sendto || number == SYS_recvfrom || number == SYS_sendmsg ||
	       number == SYS_recvmsg || number == SYS_epoll_ctl;
}

static bool due(const struct tracer *t, unsigned int steps, uint64_t number)
{
	const struct fault *f = t->fault;

	return f->step && (steps == f->step ||
			   (f->lasting && steps > f->step && (f->call || !is_last_word(number))));
}

static void hit(struct tracer *t, struct tracee *e, uint64_t number)
{
	const struct fault *f = t->fault;

	if (!t->seen->fired)
		str_copy(t->seen->call, sizeof(t->seen->call), call_name(number));
	t->seen->fired = true;
	if (f->action == ACT_KILL) {
		kill(f->victim ? f->victim : e->leader, SIGKILL);
	} else {
		skip_call(e->pid);
		e->failing = true;
	}
}

static bool has_child(pid_t pid)
{
	char path[64];
	CLEANUP_FILE FILE *file = NULL;

	str_fmt(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	return file && fgetc(file) != EOF;
}

static bool is_counted(const struct tracer *t, const struct tracee *e,
		       const struct __ptrace_syscall_info *info)
{
	const struct fault *f = t->fault;

	return e->role == f->role && info->op == PTRACE_SYSCALL_INFO_ENTRY &&
	       !(f->from_exec && e->pid == t->root && !t->root_execed) &&
	       !(f->call && f->call != info->entry.nr) && !(f->as_parent && !has_child(e->pid));
}

/* prepare is stopped at its calls as well as its child, see waits_for_child(). */
static void go_on(const struct tracer *t, const struct tracee *e, int sig)
{
	bool stops = e->role == t->fault->role ||
		     (t->fault->role == ROLE_INSIDE && e->role == ROLE_PREPARE);

	ptrace(stops ? PTRACE_SYSCALL : PTRACE_CONT, e->pid, 0, sig);
}

/*
 * prepare kills its child as soon as it has a namespace from it, so on a busy machine before the
 * child has made any call: it is held there until the child waits.
 */
static bool waits_for_child(const struct tracer *t, const struct tracee *e, uint64_t number)
{
	return t->fault->role == ROLE_INSIDE && e->role == ROLE_PREPARE && number == SYS_kill &&
	       !t->inside_done && has_child(e->pid);
}

static void note_inside_done(struct tracer *t)
{
	t->inside_done = true;
	for (size_t i = 0; i < TRACEES_MAX; i++) {
		struct tracee *e = &t->tracees[i];

		if (!e->pid || !e->held || e->role != ROLE_PREPARE)
			continue;
		e->held = false;
		go_on(t, e, 0);
	}
}

static bool is_waiting(uint64_t number)
{
#ifdef SYS_pause
	return number == SYS_pause;
#else
	return number == SYS_ppoll; /* what pause() is where the call does not exist */
#endif
}

static void on_call(struct tracer *t, struct tracee *e)
{
	struct __ptrace_syscall_info info;
	unsigned int actions, steps;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, e->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && e->failing) {
		set_result(e->pid, action_errno[t->fault->action]);
		e->failing = false;
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		e->held = waits_for_child(t, e, info.entry.nr);
		if (e->role == ROLE_INSIDE && is_waiting(info.entry.nr))
			note_inside_done(t);
	}
	if (!is_counted(t, e, &info))
		return;
	if (t->fault->action == ACT_HOLD) {
		e->held = true;
		t->seen->held = e->pid;
		return;
	}
	actions = call_actions(info.entry.nr, info.entry.args);
	for (unsigned int a = 0; a < ACTIONS; a++) {
		if (!(actions & (1u << a)))
			continue;
		steps = ++t->seen->steps[a];
		if (a == t->fault->action && due(t, steps, info.entry.nr))
			hit(t, e, info.entry.nr);
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

static void let_go(struct tracee *e)
{
	ptrace(PTRACE_DETACH, e->pid, 0, 0);
	*e = (struct tracee){ .pid = 0 };
}

static void on_stop(struct tracer *t, struct tracee *e, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (!e->known && !settle(t, e)) {
		let_go(e);
	} else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		ptrace(PTRACE_LISTEN, e->pid, 0, 0);
	} else if (event == PTRACE_EVENT_EXEC && !on_exec(t, e)) {
		let_go(e);
	} else if (sig == (SIGTRAP | 0x80)) {
		on_call(t, e);
		if (!e->held)
			go_on(t, e, 0);
	} else {
		go_on(t, e, event ? 0 : sig);
	}
	t->seen->ready = true;
}

static void on_end(struct tracer *t, struct tracee *e)
{
	if (e->role == ROLE_INSIDE)
		note_inside_done(t);
	*e = (struct tracee){ .pid = 0 };
}

static void trace_loop(struct tracer *t)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno != EINTR)
			pause(); /* nothing left to trace; we are killed when that is known */
		if (pid <= 0)
			continue;
		if (WIFSTOPPED(status))
			on_stop(t, tracee_of(t, pid), status);
		else
			on_end(t, tracee_of(t, pid));
	}
}

static void trace_run(pid_t root, const struct fault *f, struct traced *seen)
{
	struct tracer t = { .fault = f, .seen = seen, .root = root };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ptrace(PTRACE_SEIZE, root, 0, OPTIONS) < 0 || ptrace(PTRACE_INTERRUPT, root, 0, 0) < 0)
		_exit(1);
	trace_loop(&t);
}

int trace_begin(struct trace *t, pid_t pid, const struct fault *f, struct err *err)
{
	t->seen = mmap(NULL, sizeof(*t->seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT(t->seen != MAP_FAILED);
	t->tracer = fork();
	if (t->tracer == 0)
		trace_run(pid, f, t->seen);
	while (t->tracer > 0 && !t->seen->ready) {
		if (waitpid(t->tracer, NULL, WNOHANG) == t->tracer) {
			t->tracer = 0;
			return err_set(err, ERR_IO, "process %d cannot be traced", (int)pid);
		}
		pause_ms(1);
	}
	return t->tracer < 0 ? err_sys(err, ERR_IO, "fork") : 0;
}

void trace_end(struct trace *t, struct traced *ret)
{
	if (!t->seen)
		return;
	if (t->tracer > 0) {
		kill(t->tracer, SIGKILL);
		waitpid(t->tracer, NULL, 0);
	}
	*ret = *t->seen;
	munmap(t->seen, sizeof(*t->seen));
	*t = (struct trace){ .tracer = 0 };
}
