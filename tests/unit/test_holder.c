/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "shim/sandbox/holder.h"
#include "tests/unit/pause_bench.h"

/* The process that holds a pod's namespaces: started, ended, and what can go wrong in between. */

struct fixture {
	struct loop loop;
	struct reaper reaper;
	struct timer stop;
	struct arena arena;
	struct holder holder;
	struct pod_config config;
	char dir[64];
	unsigned int started_n, ended_n;
	struct err why; /* of the last start, ERR_NONE if it was good */
	struct exit_status status;
};

static void on_stop(struct timer *t)
{
	container_of(t, struct fixture, stop)->loop.quit = true;
}

static void on_started(struct holder *h, const struct err *why)
{
	struct fixture *f = container_of(h, struct fixture, holder);

	f->started_n++;
	f->why.code = ERR_NONE;
	if (why)
		f->why = *why;
	f->loop.quit = true;
}

static void on_ended(struct holder *h, const struct exit_status *status)
{
	struct fixture *f = container_of(h, struct fixture, holder);

	f->ended_n++;
	f->status = *status;
	f->loop.quit = true;
}

#define PATIENCE_MS 60000 /* how long a slow machine may take */

static void run_for(struct fixture *f, unsigned int ms)
{
	struct err err;

	f->loop.quit = false;
	timer_arm(&f->stop, &f->loop, MS_TO_NS(ms));
	assert_int_equal(loop_run(&f->loop, &err), 0);
	timer_disarm(&f->stop);
}

static void fresh_holder(struct fixture *f)
{
	holder_init(&f->holder);
	f->holder.started = on_started;
	f->holder.ended = on_ended;
	f->started_n = f->ended_n = 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err;

	assert_non_null(f);
	assert_int_equal(loop_init(&f->loop, &err), 0);
	assert_int_equal(reaper_init(&f->reaper, &f->loop, &err), 0);
	f->stop.on_fire = on_stop;
	f->config = (struct pod_config){ .hostname = "pod", .cgroup_parent = "" };
	fresh_holder(f);
	pause_bench_init(f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	holder_end(&f->holder);
	holder_deinit(&f->holder);
	assert_int_equal(f->reaper.holds, 0);
	timer_disarm(&f->stop);
	reaper_deinit(&f->reaper);
	loop_deinit(&f->loop);
	arena_deinit(&f->arena);
	pause_bench_deinit(f->dir);
	free(f);
	return 0;
}

static int begin(struct fixture *f, const char *dir, const char *net, struct err *err)
{
	return holder_start(&f->holder, &f->reaper, dir, net, &f->config, &f->arena, err);
}

/* Until it has said whether it holds them. */
static void start_in(struct fixture *f, const char *dir, const char *net)
{
	struct err err;

	if (begin(f, dir, net, &err) < 0)
		fail_msg("%s", err.text);
	run_for(f, PATIENCE_MS);
	assert_int_equal(f->started_n, 1);
}

static void start(struct fixture *f, const char *script)
{
	pause_bench_write(f->dir, script);
	start_in(f, f->dir, "");
}

/* The child is ours once the shell that started it is gone. */
static void start_first(struct fixture *f)
{
	start(f, PAUSE_FIRST);
	assert_int_equal(f->why.code, ERR_NONE);
	for (int i = 0; i < 600 && f->holder.starter.pidfd.loop; i++)
		run_for(f, 10);
	assert_null(f->holder.starter.pidfd.loop);
}

static void until_it_ended(struct fixture *f)
{
	for (int i = 0; i < 10 && !f->ended_n; i++)
		run_for(f, PATIENCE_MS / 10);
	assert_int_equal(f->ended_n, 1);
}

static bool has_children(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Nobody is left, not even as a zombie. */
static void expect_nobody(struct fixture *f)
{
	for (int i = 0; i < 600 && has_children(); i++)
		run_for(f, 10);
	assert_false(has_children());
	assert_int_equal(f->reaper.holds, 0);
	assert_int_equal(f->holder.pid, 0);
}

/* --- what it says ------------------------------------------------------------------------- */

static void holds(void **state)
{
	struct fixture *f = *state;

	start(f, PAUSE_GOOD);
	assert_int_equal(f->why.code, ERR_NONE);
	assert_int_equal(f->holder.pid, f->holder.starter.pid);
	assert_int_equal(f->reaper.holds, 0);
	holder_kill(&f->holder);
	until_it_ended(f);
	assert_int_equal(f->status.code, 128 + SIGKILL);
	holder_kill(&f->holder);
	expect_nobody(f);
	assert_int_equal(f->ended_n, 1);
}

static void first_holds(void **state)
{
	struct fixture *f = *state;

	start_first(f);
	assert_int_not_equal(f->holder.pid, f->holder.starter.pid);
	assert_int_equal(f->ended_n, 0);
	holder_kill(&f->holder);
	until_it_ended(f);
	expect_nobody(f);
}

static void killed_from_outside(void **state)
{
	struct fixture *f = *state;

	start_first(f);
	assert_int_equal(kill(f->holder.pid, SIGTERM), 0);
	until_it_ended(f);
	assert_int_equal(f->status.code, 128 + SIGTERM);
	expect_nobody(f);
}

static void expect_failure(struct fixture *f, const char *script, const char *why)
{
	start(f, script);
	assert_int_equal(f->why.code, ERR_IO);
	if (!strstr(f->why.text, why))
		fail_msg("%s, wanted %s", f->why.text, why);
	expect_nobody(f);
	assert_int_equal(f->ended_n, 0);
	fresh_holder(f);
}

static void does_not(void **state)
{
	struct fixture *f = *state;

	expect_failure(f, "echo 'no room' >&3; exit 1", "the pod's namespaces: no room");
	expect_failure(f, "exit 0", "ended without a word");
	expect_failure(f, "kill -9 $$", "ended without a word");
	/* Nothing that could be ours. */
	expect_failure(f, "echo 1 >&3; exec sleep 100", "the pod's namespaces: 1");
	expect_failure(f, "echo 0 >&3; exec sleep 100", "the pod's namespaces: 0");
	expect_failure(f, "echo -5 >&3; exec sleep 100", "the pod's namespaces: -5");
	expect_failure(f, "echo 99999999999999999999 >&3", "the pod's namespaces: 99999999");
	expect_failure(f, "printf 12 >&3", "the pod's namespaces: 12");
	expect_failure(f, "printf '%0300d' 7 >&3; exec sleep 100", "the pod's namespaces: 0000");
}

/* In pieces it is the same. */
static void slowly(void **state)
{
	struct fixture *f = *state;

	start(f, "printf $$ >&3; sleep 0.05; echo >&3; exec 3>&-; exec sleep 100");
	assert_int_equal(f->why.code, ERR_NONE);
	assert_int_equal(f->holder.pid, f->holder.starter.pid);
}

/* It has ended when its number comes, and nobody would ever be told. */
static void ended_before_it_is_heard(void **state)
{
	struct fixture *f = *state;

	expect_failure(f, "p=$$; (sleep 0.5; echo $p >&3) & exit 0", "has ended");
}

static void takes_too_long(void **state)
{
	struct fixture *f = *state;
	struct err err;

	pause_bench_write(f->dir, PAUSE_SILENT);
	assert_int_equal(begin(f, f->dir, "", &err), 0);
	f->holder.bound.on_fire(&f->holder.bound);
	assert_int_equal(f->started_n, 1);
	assert_int_equal(f->why.code, ERR_TIMEOUT);
	expect_nobody(f);
}

/* Also one whose first process has begun, but not told its number. */
static void ended_while_starting(void **state)
{
	struct fixture *f = *state;
	struct err err;

	pause_bench_write(f->dir, "(while printf x >&3; do sleep 0.01; done) & exec sleep 100");
	assert_int_equal(begin(f, f->dir, "", &err), 0);
	holder_end(&f->holder);
	expect_nobody(f);
	assert_int_equal(f->started_n + f->ended_n, 0);
	holder_end(&f->holder);
}

static void no_program(void **state)
{
	struct fixture *f = *state;
	char path[PATH_MAX + 1];
	struct err err;

	assert_int_equal(begin(f, f->dir, "", &err), -1);
	assert_int_equal(err.code, ERR_NOT_FOUND);
	memset(path, 'x', PATH_MAX);
	path[0] = '/';
	path[PATH_MAX] = '\0';
	assert_int_equal(begin(f, path, "", &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	expect_nobody(f);
}

/* --- what it is told ---------------------------------------------------------------------- */

static void told(struct fixture *f, const char *net, const char *want)
{
	pause_bench_write(f->dir, "printf '%s|' \"$@\" $SECRET >&3");
	start_in(f, f->dir, net);
	if (!str_eq(f->why.text, want))
		fail_msg("%s, wanted %s", f->why.text, want);
	expect_nobody(f);
	fresh_holder(f);
}

#define SAYS "the pod's namespaces: "
#define PORTS "--try-sysctl|net.ipv4.ip_unprivileged_port_start=0|"
#define PING "--try-sysctl|net.ipv4.ping_group_range=0 2147483647|"

/* And nothing of our environment, which containers may read there. */
static void arguments(void **state)
{
	Crossarch__PodSysctl sysctl = CROSSARCH__POD_SYSCTL__INIT, *sysctls[] = { &sysctl };
	struct fixture *f = *state;

	setenv("SECRET", "it", 1);
	told(f, "/net", SAYS "--net|/net|" PORTS PING "--uts|--hostname|pod|--ipc|--pid|");
	f->config.hostname = "";
	told(f, "", SAYS "--new-net|" PORTS PING "--uts|--ipc|--pid|");
	f->config.user = true;
	told(f, "/net", SAYS "--net|/net|" PORTS PING "--uts|--ipc|--pid|--user|");
	f->config.sysctls = sysctls;
	f->config.n_sysctls = 1;
	sysctl.name = "net.ipv4.ip_unprivileged_port_start";
	sysctl.value = "80";
	told(f, "/net",
	     SAYS "--net|/net|" PING "--uts|--ipc|--pid|--user|--sysctl|"
		  "net.ipv4.ip_unprivileged_port_start=80|");
	f->config = (struct pod_config){
		.hostname = "x", .host_network = true, .host_ipc = true, .host_pid = false
	};
	told(f, "/net", SAYS "--pid|");
	unsetenv("SECRET");
}

/* --- crossarch-pause itself --------------------------------------------------------------- */

static bool real(struct fixture *f, const char *net)
{
	const char *build = getenv("BUILD");
	char dir[PATH_MAX], path[PATH_MAX + 32];

	str_fmt(dir, sizeof(dir), "%s/bin", build ? build : "build");
	str_fmt(path, sizeof(path), "%s/crossarch-pause", dir);
	if (geteuid() != 0 || access(path, X_OK) < 0)
		return false;
	start_in(f, dir, net);
	return true;
}

static bool real_holds(struct fixture *f)
{
	if (!real(f, ""))
		return false;
	if (f->why.code)
		fail_msg("%s", f->why.text);
	return true;
}

static bool same_namespace(pid_t pid, const char *kind)
{
	char path[64], own[64] = "", theirs[64] = "";

	str_fmt(path, sizeof(path), "/proc/self/ns/%s", kind);
	assert_true(readlink(path, own, sizeof(own) - 1) > 0);
	str_fmt(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	assert_true(readlink(path, theirs, sizeof(theirs) - 1) > 0);
	return str_eq(own, theirs);
}

static void expect_namespaces(struct fixture *f, const char *own)
{
	static const char *const kinds[] = { "net", "uts", "ipc", "pid", "mnt", "user" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (same_namespace(f->holder.pid, kinds[i]) ==
		    str_lists(own, kinds[i], strlen(kinds[i])))
			fail_msg("the %s namespace", kinds[i]);
}

static void read_proc(pid_t pid, const char *name, struct buf *ret)
{
	char path[64];
	struct err err;

	str_fmt(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if (file_read(AT_FDCWD, path, ret, &err) < 0)
		fail_msg("%s", err.text);
}

static void expect_line(pid_t pid, const char *name, const char *want)
{
	CLEANUP_BUF struct buf text = BUF_INIT(65536);

	read_proc(pid, name, &text);
	if (!strstr(buf_str(&text), want))
		fail_msg("%s:\n%s\nwanted %s", name, buf_str(&text), want);
}

static void of_its_own(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	struct fixture *f = *state;
	pid_t pid;

	if (!real_holds(f))
		skip();
	pid = f->holder.pid;
	expect_namespaces(f, "net uts ipc pid mnt");
	expect_line(pid, "comm", "crossarch-pause\n");
	expect_line(pid, "status", "\t1\n"); /* NSpid */
	expect_line(pid, "status", "CapPrm:\t0000000000000000");
	expect_line(pid, "status", "CapEff:\t0000000000000000");
	expect_line(pid, "status", "CapBnd:\t0000000000000000");
	expect_line(pid, "status", "NoNewPrivs:\t1");
	read_proc(pid, "environ", &text);
	assert_int_equal(text.len, 0);
	expect_line(pid, "mountinfo", " / / ro,");
	holder_kill(&f->holder);
	until_it_ended(f);
	expect_nobody(f);
}

static void of_the_node(void **state)
{
	struct fixture *f = *state;

	f->config.host_network = f->config.host_ipc = f->config.host_pid = true;
	if (!real_holds(f))
		skip();
	expect_namespaces(f, "mnt");
	assert_int_equal(f->holder.pid, f->holder.starter.pid);
}

static void cannot(void **state)
{
	struct fixture *f = *state;
	char fifo[96];

	if (!real(f, "/no/such/namespace"))
		skip();
	assert_non_null(strstr(f->why.text, "network namespace /no/such/namespace"));
	expect_nobody(f);
	fresh_holder(f);
	/* What would never open is no reason to hang. */
	str_fmt(fifo, sizeof(fifo), "%s/fifo", f->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_true(real(f, fifo));
	assert_non_null(strstr(f->why.text, "enter the network namespace"));
	expect_nobody(f);
	fresh_holder(f);
	f->config.host_network = f->config.user = true;
	assert_true(real(f, ""));
	assert_non_null(strstr(f->why.text, "node's network and a user namespace"));
	expect_nobody(f);
}

static unsigned int children_of(pid_t pid)
{
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	unsigned int n = 0;
	char name[64];

	str_fmt(name, sizeof(name), "task/%d/children", (int)pid);
	read_proc(pid, name, &text);
	for (const char *c = buf_str(&text); *c; c++)
		n += *c == ' ';
	return n;
}

/* Leaves a process behind in the PID namespace, which ends when @until is closed. */
static _Noreturn void leave_orphan(pid_t holder, const int until[2])
{
	char path[64], byte;
	int ns;

	str_fmt(path, sizeof(path), "/proc/%d/ns/pid", (int)holder);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWPID) < 0)
		_exit(1);
	close(until[1]);
	if (fork() == 0) {
		if (fork() == 0)
			(void)!read(until[0], &byte, 1);
		_exit(0);
	}
	(void)wait(NULL);
	_exit(0);
}

static void reaps(void **state)
{
	struct fixture *f = *state;
	int until[2], status;
	pid_t pid;

	if (!real_holds(f))
		skip();
	assert_int_equal(pipe2(until, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		leave_orphan(f->holder.pid, until);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(children_of(f->holder.pid), 1);
	close(until[0]);
	close(until[1]);
	for (int i = 0; i < 600 && children_of(f->holder.pid); i++)
		run_for(f, 10);
	assert_int_equal(children_of(f->holder.pid), 0);
	assert_int_equal(f->ended_n, 0);
}

/* Those that mean nothing to it are no end; SIGTERM is. */
static void signals(void **state)
{
	struct fixture *f = *state;

	if (!real_holds(f))
		skip();
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && sig != SIGTERM && sig != SIGINT)
			assert_int_equal(kill(f->holder.pid, sig), 0);
	run_for(f, 50);
	assert_int_equal(f->ended_n, 0);
	for (int i = 0; i < 600 && f->holder.pid; i++) {
		CLEANUP_BUF struct buf text = BUF_INIT(65536);

		read_proc(f->holder.pid, "status", &text);
		if (strstr(buf_str(&text), "ShdPnd:\t0000000000000000"))
			break;
		run_for(f, 10);
	}
	expect_line(f->holder.pid, "status", "ShdPnd:\t0000000000000000");
	assert_int_equal(kill(f->holder.pid, SIGTERM), 0);
	until_it_ended(f);
	assert_int_equal(f->status.code, 0);
	expect_nobody(f);
}

/* What stands for the shim tells who holds the namespaces, and waits to be killed. */
static _Noreturn void be_shim(int told)
{
	struct fixture *f = NULL;
	pid_t holder = 0;

	if (setup((void **)&f) == 0 && real(f, ""))
		holder = f->holder.pid;
	if (f)
		pause_bench_deinit(f->dir);
	(void)!write(told, &holder, sizeof(holder));
	for (;;)
		pause();
}

static void ends_with_the_shim(void **state)
{
	struct fixture *f = *state;
	CLEANUP_FD int hear = -1;
	CLEANUP_FD int tell = -1;
	pid_t shim, holder = 0;
	struct err err;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fd_pipe(&hear, &tell, 0, &err), 0);
	shim = fork();
	if (shim == 0)
		be_shim(tell);
	assert_int_equal(read(hear, &holder, sizeof(holder)), sizeof(holder));
	assert_int_equal(kill(shim, SIGKILL), 0);
	expect_nobody(f); /* both are ours to reap */
	if (!holder)
		skip();
	assert_int_equal(kill(holder, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(holds, setup, teardown),
		cmocka_unit_test_setup_teardown(first_holds, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_from_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(does_not, setup, teardown),
		cmocka_unit_test_setup_teardown(slowly, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_before_it_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(takes_too_long, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_while_starting, setup, teardown),
		cmocka_unit_test_setup_teardown(no_program, setup, teardown),
		cmocka_unit_test_setup_teardown(arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(of_the_node, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot, setup, teardown),
		cmocka_unit_test_setup_teardown(reaps, setup, teardown),
		cmocka_unit_test_setup_teardown(signals, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_with_the_shim, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
