/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/verdicts/trees/trees.h"

/*
 * The oracle: root file systems made from a seed and a number, each with a program in it. For each
 * one crossarch-prepare gives its verdict, and then the kernel, or a real engine, is asked by
 * running the program. Whatever was started, in whatever way, ends with one of these:
 */
#define RAN_PROGRAM 42	/* the program itself, by the node's own processor */
#define RAN_HANDLER 43	/* the stand-in for an emulator */
#define RAN_EMULATED 44 /* the program, by a real emulator */

/* A program under test: bytes of a file, and where the parts of its header are. */
#define ELF_MAX 16384

struct elf {
	uint8_t bytes[ELF_MAX];
	size_t size;
	bool wide, big, loader;
	unsigned int
		n_headers; /* program headers: one PT_LOAD, then PT_INTERP if it has a loader */
};

/* Machines the oracle has programs for: the node's, its 32-bit sister, one under real emulation. */
enum machine { MACHINE_NODE, MACHINE_SISTER, MACHINE_FOREIGN, MACHINE_N };

/* True when this node can run (or emulate) programs of @m. */
bool machine_usable(enum machine m);

/* A program that ends with @status at once; @loader is its PT_INTERP, NULL without. */
void elf_make(struct elf *e, enum machine m, const char *loader, unsigned int status);

/* A dynamic loader: it goes on to the program's entry point at once. */
void elf_make_loader(struct elf *e, enum machine m);

/* The fields of headers that are varied; each has values at the edges of what loaders accept. */
size_t elf_fields(void);
size_t elf_values(size_t field);
/* Sets @field to its value number @value; appends "NAME=VALUE " to @label. */
void elf_set(struct elf *e, size_t field, size_t value, char *label, size_t label_size);

/* --- one case --------------------------------------------------------------------------------- */

#define ARGS_MAX 8

struct trial {
	struct tree tree;
	char label[512]; /* what is special about it */
	const char *args[ARGS_MAX], *env[ARGS_MAX];
	const char *cwd;
	bool engine;		 /* run by a real engine, for its mounts and hooks */
	struct buf mounts;	 /* JSON of `mounts`, without the brackets */
	struct buf hooks;	 /* JSON of `hooks`, without the braces */
	bool handlers;		 /* registered something: cleared afterwards */
	char host_dir[PATH_MAX]; /* for files of the node: interpreters, volumes */
};

struct trial_kind {
	const char *name;
	void (*make)(struct trial *t, unsigned int variant);
	unsigned int weight; /* how many of a round are of this kind */
	bool engine;
};
const struct trial_kind *trial_kinds(size_t *ret_n);

uint64_t pick(struct trial *t, uint64_t below);
__attribute__((format(printf, 2, 3))) void label(struct trial *t, const char *fmt, ...);

/* A file of the root file system, and one of the node; @path of the latter is in t->host_dir. */
void put_elf(struct trial *t, const char *path, const struct elf *e, mode_t mode);
void put_program(struct trial *t, const char *path, enum machine m, unsigned int status);
void put_loader(struct trial *t, const char *path, enum machine m);
void put_host(struct trial *t, const char *name, const void *bytes, size_t n, mode_t mode);
void put_host_program(struct trial *t, const char *name, enum machine m, unsigned int status);

/* binfmt_misc of our own user namespace. */
void handler_register(struct trial *t, const char *line);
void handler_switch(struct trial *t, const char *name, const char *value);
void handlers_clear(void);

/* --- the judgement ---------------------------------------------------------------------------- */

struct truth {
	bool started;	     /* execve() succeeded */
	int error;	     /* errno of execve(), when it did not */
	bool signalled;	     /* the end: by a signal, */
	unsigned int status; /* and its number, or the exit status */
	char words[256];     /* what it printed */
};

/* Runs the trial's program: in a child with the tree as its root, or by the engine. */
void truth_find(struct trial *t, const char *engine, struct truth *ret);

/* What is wrong with a verdict, NULL when it agrees. @used counts the exceptions it took for that.
 */
#define EXCEPTIONS_MAX 16
const char *judge_verdict(const struct trial *t, const struct report *r, const struct truth *truth,
			  unsigned int *used);
void judge_print_exceptions(const unsigned int *used);
