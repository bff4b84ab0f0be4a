/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crossarch-prepare in the hands of an image: linked with the real one so that this runs in place
 * of the look at the program (--wrap=check_process), in the same process, after its first record,
 * under the same confinement. ATTACK says what it tries, ATTACK_DIR is a directory of files that
 * nobody is to touch: engine, victim, cgroup (a name).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/prepare.h"

int __wrap_check_process(struct prepare *p, const struct spec_process *process,
			 enum facts_purpose purpose, struct facts *ret_facts, struct plan *ret,
			 struct err *err);

static const char *dir;

/* All the lies there is room for, as of a program that may run. */
static struct report lie(struct prepare *p, uint32_t flags)
{
	struct report r = p->report;

	r.verdict = VERDICT_EMULATE;
	r.flags = flags;
	r.guest_row = 0;
	(void)str_fmt(r.decided.engine, sizeof(r.decided.engine), "%s/engine", dir);
	(void)str_fmt(r.decided.root, sizeof(r.decided.root), "%s/root", dir);
	(void)str_copy(r.decided.cgroup, sizeof(r.decided.cgroup), getenv("ATTACK_CGROUP"));
	(void)str_copy(r.decided.pod, sizeof(r.decided.pod), "../../victim");
	(void)str_copy(r.cpu, sizeof(r.cpu), "--help");
	(void)str_copy(r.guest, sizeof(r.guest), "linux/--help");
	r.decided.flags = DECIDED_FLAGS_ALL;
	return r;
}

static void say(const struct report *r, size_t n)
{
	(void)!write(FD_REPORT, r, n);
}

/* With the victim open, as if it were the message file. */
static void pass(const struct report *r)
{
	char path[256];
	struct err err;
	int fd;

	(void)str_fmt(path, sizeof(path), "%s/victim", dir);
	fd = fd_openat2(AT_FDCWD, path, O_RDWR | O_APPEND, 0, 0);
	if (fd < 0)
		fd = 2;
	(void)!report_send(FD_REPORT, r, fd, &err);
}

static void write_files(void)
{
	static const char *const names[] = { "config.json.crossarch", "config.json",
					     "crossarch.settings" };
	char path[256];

	(void)str_fmt(path, sizeof(path), "%s/victim", dir);
	(void)fd_openat2(AT_FDCWD, path, O_WRONLY | O_TRUNC, 0, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = fd_openat2(FD_BUNDLE, names[i], O_WRONLY | O_CREAT | O_TRUNC, 0600, 0);

		if (fd >= 0)
			(void)!write(2, "the bundle can be written\n", 26);
	}
}

static void attack(struct prepare *p, const char *what)
{
	struct report r = lie(p, 0);

	if (str_eq(what, "answer")) {
		say(&r, sizeof(r)); /* the real ones are the only ones that count */
	} else if (str_eq(what, "decide")) {
		r.flags = REPORT_DECIDED;
		say(&r, sizeof(r));
	} else if (str_eq(what, "patched")) {
		write_files();
		r.flags = REPORT_PATCHED;
		say(&r, sizeof(r));
	} else if (str_eq(what, "edit")) {
		r.flags = REPORT_EDIT;
		r.guest_row = 77777;
		say(&r, sizeof(r));
	} else if (str_eq(what, "private")) {
		r.flags = REPORT_PRIVATE;
		say(&r, sizeof(r));
	} else if (str_eq(what, "pass")) {
		pass(&r);
	} else if (str_eq(what, "more")) {
		r.flags = REPORT_MORE;
		for (int i = 0; i < 100000; i++)
			say(&r, sizeof(r));
	} else if (str_eq(what, "endless")) {
		for (int i = 0; i < 100000; i++)
			say(&r, 1000);
	} else if (str_eq(what, "cut")) {
		say(&r, sizeof(r) / 2);
	} else if (str_eq(what, "cut-and-stay")) {
		say(&r, sizeof(r) / 2);
		for (;;)
			(void)!poll(NULL, 0, 1000);
	} else if (str_eq(what, "nothing-and-stay")) {
		for (;;)
			(void)!poll(NULL, 0, 1000);
	}
	_exit(0);
}

int __wrap_check_process(struct prepare *p, const struct spec_process *process,
			 enum facts_purpose purpose, struct facts *ret_facts, struct plan *ret,
			 struct err *err)
{
	const char *what = getenv("ATTACK");

	(void)process;
	(void)purpose;
	(void)ret_facts;
	(void)ret;
	dir = getenv("ATTACK_DIR");
	if (what && dir)
		attack(p, what);
	return err_set(err, ERR_INVALID, "no attack");
}
