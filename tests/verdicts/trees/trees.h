/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "runtime/base/buf.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"

/*
 * Hostile trees: bundles nobody would send who means well, each made from a number and nothing
 * else, so that what a number found once it finds again.
 */
struct tree {
	unsigned int number;
	const char *kind;    /* of the table in kinds.c */
	uint64_t random;     /* state of the generator */
	int init;	     /* mode exec: a process with the tree as its root */
	int bundle, root;    /* directories; root -1: the tree has none worth a process in it */
	bool racing;	     /* `swap` and `other` in the root change places all the time */
	char path[PATH_MAX]; /* of the bundle */
	struct buf config;   /* config.json, if the kind has not written its own */
	struct buf process;  /* the process as JSON, of the container and of an exec */
};

/* The next number below @below. */
uint64_t tree_random(struct tree *t, uint64_t below);

/* Makes files below the root: their parents too. What fails is fatal: the test cannot go on. */
void tree_file(struct tree *t, const char *path, const void *bytes, size_t n, mode_t mode);
void tree_text(struct tree *t, const char *path, const char *text);
void tree_link(struct tree *t, const char *path, const char *target);
void tree_node(struct tree *t, const char *path, mode_t type);
void tree_sparse(struct tree *t, const char *path, uint64_t size);

/* The container's process: @argv0 with environment PATH=@path, NULL for the usual. */
void tree_process(struct tree *t, const char *argv0, const char *path);

/* The whole config.json around the process; @more is JSON text for further members, with commas. */
void tree_config(struct tree *t, const char *more);

/* The kinds of trees, in order; each makes what is in the root, and the process. */
struct kind {
	const char *name;
	void (*make)(struct tree *t, unsigned int variant);
};

/* An empty tree @number of kind @k in the new directory @path; then its config.json is written. */
void tree_open(struct tree *ret, const char *path, unsigned int number, const struct kind *k);
void tree_close(struct tree *t);
void tree_deinit(struct tree *t);

const struct kind *kinds_all(size_t *ret_n);

/* Writes an ELF file that is wrong in a way of its own, at most @max bytes; returns its size. */
size_t elf_header(struct tree *t, unsigned int variant, uint8_t *bytes, size_t max);
size_t elf_segments(struct tree *t, unsigned int variant, uint8_t *bytes, size_t max);
/* A usual one of architecture row @row whose loader is @interp, any bytes. */
size_t elf_with_interp(unsigned int row, const char *interp, uint8_t *bytes, size_t max);

/* --- running prepare ------------------------------------------------------------------------ */

struct outcome {
	int status;	     /* as of waitpid() */
	uint64_t ns, cpu_ns; /* time that passed, and time it computed */
	bool reported;
	struct report report;
	char complaint[512];	     /* what standard error got, cut */
	char outside[PATH_MAX + 64]; /* the first file opened that is none of its business, or "" */
	unsigned int opened;
};

/*
 * Runs @program MODE on the tree with the descriptors of prepare.h. @observe: with every file it
 * opens looked at, under ptrace.
 */
void run_prepare(struct tree *t, const char *program, const char *mode, bool observe,
		 struct outcome *ret);

/* Follows the traced child @pid to its end. */
void observe(int pid, const struct tree *t, struct outcome *ret);
