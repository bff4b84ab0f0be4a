/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/findings.h"
#include "runtime/cli/kernel_waits.h"

/* How the node's kernel is set, as far as these waits depend on it. */
struct kernel_setting {
	bool cgroup2;	    /* on /sys/fs/cgroup, and nothing else */
	bool favordynmods;  /* that mount has the option (cgroup-v2.rst) */
	bool can_favor;	    /* Linux 6.0 or later */
	bool rcu_expedited; /* /sys/kernel/rcu_expedited: grace periods are short (RCU's whatisRCU)
			     */
	bool rcu_normal;    /* /sys/kernel/rcu_normal: not even those of unmounting are */
};

/* What the waits are, and the setting that shortens them where that is worth it. */
void doctor_waits_judge(struct findings *f, const struct kernel_waits *w,
			const struct kernel_setting *s);

/* Measures, for about a second, reads the setting and judges. Forks, so before any gRPC call. */
void doctor_waits(struct findings *f);
