/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "runtime/base/err.h"

/*
 * Where a container's cgroup is: one directory on a unified (v2) host, one per hierarchy on a v1 or
 * hybrid host. All of it is one heap block of a few hundred bytes; no descriptor is kept, so a
 * removed cgroup is not held.
 */
enum cgroup_part {
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_BLKIO,
	CGROUP_HUGETLB,
	CGROUP_RDMA,
	CGROUP_DEVICES,
	CGROUP_FREEZER,
	CGROUP_CPUSET,
	CGROUP_SYSTEMD, /* v1's name=systemd */
	CGROUP_UNIFIED, /* the v2 directory: also of a hybrid host */
	CGROUP_PART_N,
};

struct cgroup {
	char *dirs;   /* rows: a uint16_t set of parts, then the directory as a string */
	size_t len;   /* of all rows */
	bool unified; /* the host's controllers are v2's */
};

/*
 * Finds the cgroup of @pid, which must not be a zombie yet (a v1 zombie is in no cgroup any more).
 * A hierarchy in which it sits at the root is left out: that is the host, not a container.
 * ERR_NOT_FOUND when the process is gone or has no cgroup of its own.
 */
MUST_CHECK int cgroup_open(struct cgroup *cg, pid_t pid, struct err *err);

/* The pure half of cgroup_open(): streams with the texts of /proc/PID/cgroup and of mountinfo. */
MUST_CHECK int cgroup_parse(struct cgroup *cg, FILE *proc_cgroup, FILE *mountinfo, struct err *err);

/* Idempotent; legal on an all-zero struct. */
void cgroup_deinit(struct cgroup *cg);

/*
 * The absolute directory of a part, or NULL. On a unified host every part but name=systemd is the
 * one directory.
 */
const char *cgroup_dir(const struct cgroup *cg, enum cgroup_part part);

/* A new O_DIRECTORY descriptor of it, or -1 and errno (ENOENT also when there is no such part). */
int cgroup_dir_open(const struct cgroup *cg, enum cgroup_part part);

/*
 * Makes it the one above, in the hierarchies where its last part is @name; the others are left out.
 */
void cgroup_go_up(struct cgroup *cg, const char *name);

/*
 * All processes in the cgroup and below it, as this pid namespace numbers them. @ret is freed by
 * the caller. ERR_NOT_FOUND when the cgroup is gone.
 */
MUST_CHECK int cgroup_pids(const struct cgroup *cg, pid_t **ret, size_t *ret_n, struct err *err);

/*
 * Moves @pid into the existing cgroup @path, which counts from the root of the hierarchies, as in
 * runc's option ShimCgroup; on v1, in every hierarchy that has it. ERR_NOT_FOUND when none has.
 */
MUST_CHECK int cgroup_join(const char *path, pid_t pid, struct err *err);

/*
 * Makes the cgroup @path, given as above, in every hierarchy but v1's cpuset, which takes nobody as
 * long as it has no processors; what is missing above it, too.
 */
MUST_CHECK int cgroup_make(const char *path, struct err *err);

/*
 * True when an engine gives this name to the cgroup of container @id and of nobody else: the last
 * part of @path is @id itself or, where systemd makes the cgroup (@systemd), a scope
 * PREFIX-@id.scope (runc's and crun's rule). A slice is never one container's, whatever its name.
 * Another unit may have the same name: asking cgroup_in_use() before the engine runs settles that.
 */
bool cgroup_is_of(const char *path, const char *id, bool systemd);

/*
 * True when a process is in the cgroup @path, given as above, or below it, in any hierarchy that is
 * mounted at its usual place.
 */
bool cgroup_in_use(const char *path);

/*
 * Removes the cgroup @path, given as above, from every hierarchy. With @own it belongs to this
 * container alone: what still runs in it and below it is killed, for half a second at most. Without
 * @own, a cgroup that is in use is left as it is.
 */
void cgroup_remove(const char *path, bool own);

/* True when the host's controllers are v2's: this decides which Metrics message containerd expects.
 */
bool cgroup_host_is_v2(void);
