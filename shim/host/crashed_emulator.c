/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/crashed_emulator.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/*
 * As far as the lines about signals, which come after that of the supplementary groups: a process
 * with some hundreds of them is not found out.
 */
#define STATUS_MAX 4096
#define CALL_MAX 256
#define STACK_NEAR 4096 /* between a call and the variables of who made it; seen: 56 to 128 */

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/* The kernel blocks the first two for nobody, C libraries keep the others to themselves. */
#define NEVER_BLOCKED (BIT(SIGKILL) | BIT(SIGSTOP) | BIT(32) | BIT(33))
#define MUSL_RESERVED BIT(34)
#define REAL_TIME (~UINT64_C(0) << 33) /* from 34 on */

/* What their default action does not kill. */
#define HARMLESS                                                                                  \
	(BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU) | BIT(SIGURG) | \
	 BIT(SIGWINCH))

/* What every version catches unless the program ignores it. */
#define ALWAYS_CAUGHT \
	(BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGSEGV) | BIT(SIGQUIT))

struct masks {
	uint64_t blocked, ignored, caught;
};

/* --- /proc/PID/status ----------------------------------------------------------------------- */

static bool read_mask(const char *status, const char *name, uint64_t *ret)
{
	const char *line = strstr(status, name);
	char *end;

	if (!line)
		return false;
	line += strlen(name);
	*ret = strtoull(line, &end, 16);
	return end > line && *end == '\n';
}

/* The lines begin after a newline: a name of the process cannot hold one (proc(5)). */
static bool read_masks(const char *status, struct masks *ret)
{
	return read_mask(status, "\nSigBlk:\t", &ret->blocked) &&
	       read_mask(status, "\nSigIgn:\t", &ret->ignored) &&
	       read_mask(status, "\nSigCgt:\t", &ret->caught);
}

int crashed_signal(const char *status)
{
	struct masks m;
	uint64_t open;

	if (!read_masks(status, &m))
		return 0;
	open = ~m.blocked & ~NEVER_BLOCKED;
	if (open != MUSL_RESERVED)
		open &= ~MUSL_RESERVED;
	if (!open || (open & (open - 1)) || (open & (HARMLESS | m.caught | m.ignored)))
		return 0;
	/* Else it is no emulator any more. Two threads may have died of different signals. */
	if (__builtin_popcountll(ALWAYS_CAUGHT & ~open & ~(m.caught | m.ignored)) > 1)
		return 0;
	/* From 10.0 on a real-time signal of qemu's own that no program can block. */
	if (m.caught & REAL_TIME & ~m.blocked)
		return 0;
	return __builtin_ctzll(open) + 1;
}

bool crashed_some_thread(const char *status)
{
	struct masks m;

	return read_masks(status, &m) && (ALWAYS_CAUGHT & ~(m.caught | m.ignored));
}

/* --- /proc/PID/syscall ---------------------------------------------------------------------- */

/* NUMBER ARGUMENT*6 STACK-POINTER INSTRUCTION-POINTER, or "running", or "-1" and the pointers. */
bool crashed_waits(const char *call)
{
	uint64_t field[8]; /* the first argument is the mask's address */
	char *end;
	const uint64_t *mask = &field[0], *stack = &field[6];

	if (strtol(call, &end, 10) != SYS_rt_sigsuspend || end == call)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		const char *at = end;

		field[i] = strtoull(at, &end, 16);
		if (end == at)
			return false;
	}
	return *mask >= *stack && *mask - *stack < STACK_NEAR;
}

/* --- looking -------------------------------------------------------------------------------- */

/* The text is cut at @size and always terminated; empty when there is none. */
static const char *read_text(pid_t pid, pid_t tid, const char *name, char *text, size_t size)
{
	char path[64];
	CLEANUP_FD int fd = -1;
	ssize_t n;

	(void)str_fmt(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool look_at(pid_t pid, pid_t tid, char *status, struct crashed_emulator *ret)
{
	int signal = crashed_signal(read_text(pid, tid, "status", status, STATUS_MAX));

	if (!signal)
		return false;
	*ret = (struct crashed_emulator){ pid, tid, signal };
	return true;
}

static bool look_at_others(pid_t pid, char *status, struct crashed_emulator *ret)
{
	char path[32];
	_Alignas(struct dirent64) char entries[1024];
	CLEANUP_FD int dir = -1;
	ssize_t n;

	(void)str_fmt(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (dir >= 0 && (n = getdents64(dir, entries, sizeof(entries))) > 0) {
		const struct dirent64 *e;

		for (ssize_t at = 0; at < n; at += e->d_reclen) {
			pid_t tid;

			e = (const void *)(entries + at);
			tid = (pid_t)atoi(e->d_name);
			if (tid > 0 && tid != pid && look_at(pid, tid, status, ret))
				return true;
		}
	}
	return false;
}

bool crashed_look(pid_t pid, bool all, struct crashed_emulator *ret)
{
	char status[STATUS_MAX];

	if (look_at(pid, pid, status, ret))
		return true;
	return (all || crashed_some_thread(status)) && look_at_others(pid, status, ret);
}

int crashed_prove(void *arg)
{
	const struct crashed_emulator *c = arg;
	char before[CALL_MAX], after[CALL_MAX], status[STATUS_MAX];

	if (!crashed_waits(read_text(c->pid, c->tid, "syscall", before, sizeof(before))))
		return 0;
	if (crashed_signal(read_text(c->pid, c->tid, "status", status, sizeof(status))) !=
	    c->signal)
		return 0;
	/* The same call still: what was read in between was read of it. */
	return str_eq(before, read_text(c->pid, c->tid, "syscall", after, sizeof(after)))
		       ? c->signal
		       : 0;
}

uint64_t crashed_clock(pid_t pid)
{
	struct timespec ts;
	clockid_t id;

	if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

bool crashed_is_emulator(pid_t pid)
{
	char path[32], target[PATH_MAX];
	const char *base;
	ssize_t n;

	(void)str_fmt(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	base = strrchr(target, '/');
	return base && strstr(base, "qemu-");
}
