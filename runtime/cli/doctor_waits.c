/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/doctor_waits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "runtime/base/fd.h"
#include "runtime/base/mountinfo.h"
#include "runtime/base/str.h"

/*
 * The shim has the kernel begin with the move before the engine needs it
 * (shim/host/cgroup_mover.h), and that much is over by then: a shorter wait is not felt.
 */
#define MOVE_IS_FELT_US 8000

/* The kernel hurries when it unmounts, unless it was told not to. */
#define UNMOUNT_IS_FELT_US 5000

/* Tenths of a millisecond, for "%u.%u ms". */
#define MS(us_) ((us_) / 1000), ((us_) / 100 % 10)

/* --- how the node is set --------------------------------------------------------------------- */

static bool is_one(const char *path)
{
	CLEANUP_BUF struct buf text = BUF_INIT(64);
	struct err ignored;

	return file_read(AT_FDCWD, path, &text, &ignored) == 0 && buf_str(&text)[0] == '1';
}

static void read_cgroup_mount(struct kernel_setting *s)
{
	CLEANUP_BUF struct buf text = BUF_INIT(4u << 20);
	struct mountinfo m;
	struct err ignored;
	char *rest, *line;

	if (file_read(AT_FDCWD, "/proc/self/mountinfo", &text, &ignored) < 0 || !text.len)
		return;
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n"))) {
		if (!mountinfo_parse(line, &m) || !str_eq(m.point, "/sys/fs/cgroup"))
			continue;
		s->cgroup2 = str_eq(m.type, "cgroup2");
		s->favordynmods = strstr(m.options, "favordynmods") != NULL;
	}
}

static void read_setting(struct kernel_setting *s)
{
	struct utsname name;

	*s = (struct kernel_setting){ .cgroup2 = false };
	read_cgroup_mount(s);
	s->can_favor = uname(&name) == 0 && strtoul(name.release, NULL, 10) >= 6;
	s->rcu_expedited = is_one("/sys/kernel/rcu_expedited");
	s->rcu_normal = is_one("/sys/kernel/rcu_normal");
}

/* --- what it comes to ------------------------------------------------------------------------ */

static void judge_move(struct findings *f, unsigned int us, const struct kernel_setting *s)
{
	bool felt = us > MOVE_IS_FELT_US && !s->favordynmods && !s->rcu_expedited;

	found(f, felt ? GRADE_WARN : GRADE_INFO, "cgroup moves", "a first one takes %u.%u ms%s%s",
	      MS(us), s->favordynmods ? ", favordynmods" : "",
	      felt ? ", which each container and exec waits for" : "");
	if (!felt)
		return;
	if (s->cgroup2 && s->can_favor)
		fix(f, "mount -o remount,favordynmods /sys/fs/cgroup");
	else
		fix(f, "echo 1 > /sys/kernel/rcu_expedited");
}

static void judge_unmount(struct findings *f, unsigned int us, const struct kernel_setting *s)
{
	bool felt = us > UNMOUNT_IS_FELT_US && s->rcu_normal;

	found(f, felt ? GRADE_WARN : GRADE_INFO, "unmounting", "takes %u.%u ms%s", MS(us),
	      felt ? ", since RCU may not hurry (rcu_normal): some times for each container" : "");
	if (felt)
		fix(f, "echo 0 > /sys/kernel/rcu_normal");
}

void doctor_waits_judge(struct findings *f, const struct kernel_waits *w,
			const struct kernel_setting *s)
{
	if (w->move)
		judge_move(f, w->move, s);
	if (w->unmount)
		judge_unmount(f, w->unmount, s);
}

void doctor_waits(struct findings *f)
{
	struct kernel_setting setting;
	struct kernel_waits waits;
	struct err err = ERR_INIT;

	if (kernel_waits_measure(&waits, &err) < 0) {
		found(f, GRADE_INFO, "waits", "not known: %s", err.text);
		return;
	}
	read_setting(&setting);
	doctor_waits_judge(f, &waits, &setting);
}
