/* SPDX-License-Identifier: Apache-2.0 */
/* crossarch-prepare, crossarch-pause, engine and container process in one: see stub.h. Linked
 * statically, it starts fast. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/sequence/stub.h"

struct run {
	int control;
	const char *pid_file, *log, *process;
	pid_t made;
};

static int hello(const struct stub_hello *h)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const char *path = getenv(STUB_SOCKET);

	if (!path || fd < 0)
		_exit(120);
	strncpy(to.sun_path, path, sizeof(to.sun_path) - 1);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || send(fd, h, sizeof(*h), 0) < 0)
		_exit(121);
	return fd;
}

static void die(int sig)
{
	signal(sig, SIG_DFL);
	kill(getpid(), sig);
	_exit(122);
}

static void be_process(void)
{
	struct stub_hello h = { .kind = STUB_PROCESS, .pid = getpid() };
	int control = hello(&h);
	struct stub_order o;

	if (recv(control, &o, sizeof(o), 0) <= 0)
		_exit(123);
	if (o.what == STUB_KILL)
		die(o.number);
	_exit(o.number);
}

/* The zombie is there before the answer is: it will be handed to the shim, which is to find it. */
static void make_process(struct run *r, const struct stub_order *o)
{
	siginfo_t info;
	int32_t pid;

	r->made = fork();
	if (r->made == 0) {
		close(r->control);
		if (o->what == STUB_DIE_SOON)
			_exit(o->number);
		be_process();
	}
	if (o->what == STUB_DIE_SOON)
		waitid(P_PID, (id_t)r->made, &info, WEXITED | WNOWAIT);
	pid = r->made;
	(void)!send(r->control, &pid, sizeof(pid), 0);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = path ? fopen(path, "we") : NULL;

	if (!f)
		_exit(124);
	fputs(text, f);
	fclose(f);
}

static void write_pid(const struct run *r)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)r->made);
	write_file(r->pid_file, text);
}

/* To its end, or, with @now, no further than it can be read at once. */
static void read_gate(const struct run *r, bool now)
{
	int fd = open(r->process ? r->process : "", O_RDONLY | (now ? O_NONBLOCK : 0));
	static char bytes[4096];
	int32_t sum = 0;
	ssize_t n;

	if (fd < 0)
		_exit(126);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sum += (int32_t)n;
	if (n < 0)
		sum = STUB_GATE_WAITS;
	close(fd);
	(void)!send(r->control, &sum, sizeof(sum), 0);
}

static void obey(struct run *r)
{
	struct stub_order o;

	while (recv(r->control, &o, sizeof(o), 0) > 0) {
		switch (o.what) {
		case STUB_SPAWN:
		case STUB_DIE_SOON:
			make_process(r, &o);
			break;
		case STUB_PID_FILE:
			write_pid(r);
			break;
		case STUB_LOG:
			write_file(r->log, "{}\n");
			break;
		case STUB_REPORT:
			(void)!write(3, o.report, o.n);
			(void)!send(r->control, "", 1, 0); /* it lies there now */
			break;
		case STUB_GATE:
			read_gate(r, o.number);
			break;
		case STUB_KILL:
			die(o.number);
			break;
		default:
			_exit(o.number);
		}
	}
	_exit(125); /* the fuzzer is gone */
}

static void copy(char *to, const char *from, size_t n)
{
	strncpy(to, from, n - 1);
}

/* The bundle's name is the container's: descriptor 4 is the bundle, or a log file in it. */
static void name_bundle(char *to, size_t n)
{
	char path[PATH_MAX] = "";
	char *cut;

	(void)!readlink("/proc/self/fd/4", path, sizeof(path) - 1);
	cut = strrchr(path, '/');
	if (cut && strstr(cut, ".log")) {
		*cut = '\0';
		cut = strrchr(path, '/');
	}
	copy(to, cut ? cut + 1 : "?", n);
}

/* The request is key=value, each ended by a zero byte. */
static void name_exec(char *to, size_t n)
{
	static char text[1 << 17];
	ssize_t len = pread(5, text, sizeof(text) - 1, 0);

	for (char *at = text; at < text + len; at += strlen(at) + 1)
		if (strncmp(at, "exec=", 5) == 0)
			copy(to, at + 5, n);
}

/* The file is <bundle>/<exec>.pid or <bundle>/init.pid; what it says of a run before is void. */
static void use_pid_file(char *path, struct stub_hello *h, struct run *r)
{
	const char *name = strrchr(path, '/');

	r->pid_file = path;
	unlink(path);
	if (name && strcmp(name, "/init.pid") != 0)
		copy(h->exec, name + 1, strcspn(name + 1, ".") + 1);
}

/* Options with a value, then the verb; `kill --all` has a name of its own here. */
static void read_command_line(char **argv, struct stub_hello *h, struct run *r)
{
	static const char *const flags[] = { "--systemd-cgroup", "--no-pivot", "--no-new-keyring",
					     "--detach", "--force" };
	const char *container = "?";

	for (char **a = argv + 1; *a; a++) {
		bool flag = false;

		for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
			flag |= strcmp(*a, flags[i]) == 0;
		if (flag)
			continue;
		if (strcmp(*a, "--all") == 0)
			copy(h->verb, "kill-all", sizeof(h->verb));
		else if (strcmp(*a, "--pid-file") == 0)
			use_pid_file(*++a, h, r);
		else if (strcmp(*a, "--process") == 0)
			r->process = *++a;
		else if (strcmp(*a, "--log") == 0)
			r->log = *++a;
		else if (strncmp(*a, "--", 2) == 0)
			a++;
		else if (!h->verb[0])
			copy(h->verb, *a, sizeof(h->verb));
		else if (strcmp(container, "?") == 0)
			container = *a;
	}
	copy(h->container, container, sizeof(h->container));
}

/* It has no environment. */
static void find_socket(char **argv)
{
	for (char **a = argv + 1; *a && a[1]; a++)
		if (strcmp(*a, "--net") == 0)
			setenv(STUB_SOCKET, a[1], 1);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	struct stub_hello h = { .kind = STUB_ENGINE, .pid = getpid() };
	struct run r = { .pid_file = NULL };

	signal(SIGPIPE, SIG_IGN);
	if (strcmp(name, "prepare") == 0 && argc == 2) {
		h.kind = STUB_PREPARE;
		copy(h.verb, argv[1], sizeof(h.verb));
		name_bundle(h.container, sizeof(h.container));
		name_exec(h.exec, sizeof(h.exec));
	} else if (strcmp(name, "crossarch-pause") == 0) {
		h.kind = STUB_PAUSE;
		find_socket(argv);
	} else {
		read_command_line(argv, &h, &r);
	}
	r.control = hello(&h);
	obey(&r);
}
