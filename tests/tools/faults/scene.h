/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/tools/faults/stage.h"

/* One situation in which something hangs or lacks, and what the scenes have in common. */
#define PATIENCE_MS 1500 /* the deadline of calls that are to fail by it */

struct scene {
	struct stage *stage;
	unsigned int hold_ms; /* how long what hangs does so, where nobody limits it */
	struct box box;
	char path[300]; /* of whatever the scene needs; its bundle is removed afterwards */
};

typedef int scene_run(struct scene *s, struct err *err);

/* scenarios.c */
extern const char *const sleep_words[], *const true_words[], *const loud_words[];

/* A container "hung" that is to run @words, its shim asked for. */
MUST_CHECK int scene_boot(struct scene *s, const char *const *words, struct err *err);

/* An answer with an error, neither silence nor success. */
MUST_CHECK int must_fail(int rc, const char *what, struct err *err);

/* An engine that hangs in @verb as long as a file is there; @once: it removes the file itself. */
MUST_CHECK int hanging_engine(struct scene *s, const char *verb, bool once, struct err *err);
void engine_released(const struct scene *s);

/* A FIFO as the container's output. */
MUST_CHECK int scene_fifo(struct scene *s, struct err *err);

/* slow.c: what takes long or for ever in the kernel; shortage.c: what the node is out of */
MUST_CHECK scene_run slow_unmount, volume_hangs, delete_is_bounded, delete_tries_again;
MUST_CHECK scene_run thousands_wait, no_descriptors, no_descriptors_for_terminals, no_watches;

/* fuse.c: a file system at @dir that answers no lookup. @ret is its process. */
MUST_CHECK int fuse_mount(const char *dir, pid_t *ret, struct err *err);
void fuse_unmount(const char *dir, pid_t daemon);
