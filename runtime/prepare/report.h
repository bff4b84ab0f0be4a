/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "runtime/base/err.h"

/*
 * What crossarch-prepare tells the shim: fixed-size records on descriptor 3. Mode create
 * begins with one that has REPORT_DECIDED: what root will execute, kill, mount or write for
 * this container, said before prepare has read a byte of the image. Then comes the answer, and
 * after one with REPORT_MORE a second one, once the image's platform is known. By then a hostile
 * image may have taken control of prepare, so an answer says only whether the program runs, and in
 * which of a fixed set of ways.
 *
 * Both programs come from one build, and a shim keeps the prepare it was started with (paths.h);
 * version and size catch a mixed installation. Strings are always terminated. A record that is
 * short, of another version or not sensible is an error of prepare, never a started container.
 */
#ifndef REPORT_VERSION /* a test builds one that differs */
#define REPORT_VERSION 6
#endif

/*
 * Emulators of single pods: PRIVATE_DIR/<inode of the user namespace>/ holds the mounted instance,
 * PRIVATE_MOUNT, and a symbolic link <container id> -> <bundle> for every container that needs it.
 * Whoever changes something there holds a lock on PRIVATE_DIR.
 */
#define PRIVATE_DIR "/run/crossarch/binfmt"
#define PRIVATE_MOUNT "handlers"
#define PRIVATE_PREFIX "crossarch-private-" /* of names of handlers; then the architecture */

/* Where, in the bundle, mapped layers are mounted while an overlay is made of them. */
#define LAYERS_DIR ".crossarch-layers"

enum verdict {
	VERDICT_NONE,	 /* prepare failed: `err` says why */
	VERDICT_NATIVE,	 /* the node's own processor runs it */
	VERDICT_EMULATE, /* a registered binfmt_misc handler will run it */
	VERDICT_REFUSE,	 /* `line` holds the diagnosis for the person */
	VERDICT_N,
};

enum report_flag {
	REPORT_DECIDED = 1u << 0, /* nothing but `decided` counts; the answer follows */
	REPORT_MORE = 1u << 1,	  /* go on, but nothing may start before the next record */
	REPORT_EDIT = 1u << 2,	  /* mode edit has to run before anything starts */
	REPORT_PATCHED = 1u << 3, /* mode edit: config.json.crossarch, or that of the exec's
				   * process, was written and must be used */
	REPORT_PRIVATE = 1u << 4, /* mode private must register a handler before the start */
	/* of `crossarch choose-platform` (runtime/choose/choose.h) */
	REPORT_DECLARED = 1u << 5, /* the request says what platform the image declares */
	REPORT_PULLING = 1u << 6,  /* a refusal until the image is here, which it goes on pulling */
	REPORT_FLAGS_ALL = (1u << 7) - 1,
};

enum decided_flag {
	DECIDED_SYSTEMD_CGROUP = 1u << 0, /* cgroupsPath has systemd's form, or asked for */
	DECIDED_NO_PIVOT = 1u << 1,
	DECIDED_NO_NEW_KEYRING = 1u << 2,
	DECIDED_PRIVATE_PID = 1u << 3, /* the spec creates its own pid namespace */
	DECIDED_MOUNTED = 1u << 4,     /* something is mounted on the rootfs */
	DECIDED_POSTSTOP = 1u << 5,    /* hooks run after the end, and may want the rootfs */
	DECIDED_TERMINATION = 1u << 6, /* a descriptor came along: the termination message file */
	DECIDED_PRIVATE = 1u << 7,     /* the pod may have emulators of its own */
	DECIDED_FLAGS_ALL = (1u << 8) - 1,
};

/* What follows from config.json and the node's settings alone. */
struct decided {
	uint32_t flags;	    /* enum decided_flag */
	uint32_t log_level; /* enum log_level */
	uint32_t io_uid, io_gid;
	char engine[256]; /* absolute path of runc or crun */
	char root[256];	  /* the engine's state prefix from the options; "" for the default */
	char cgroup[512]; /* from the root of the hierarchies, "" when cgroupsPath names none */
	char shim_cgroup[256]; /* "" when not asked for */
	char criu_image_path[256];
	char criu_work_path[256];
	char pod[80]; /* DECIDED_PRIVATE: id of the pod's sandbox, "" without one */
};

/* The most warnings one container can have; more are cut with a note. */
#define REPORT_WARNINGS 4

struct report {
	uint32_t version;   /* REPORT_VERSION */
	uint32_t size;	    /* sizeof(struct report) */
	uint32_t verdict;   /* enum verdict */
	uint32_t flags;	    /* enum report_flag */
	uint32_t guest_row; /* of arch_rows(), for modes edit and private; UINT32_MAX: none */
	uint32_t n_warnings;
	/* VERDICT_EMULATE: x86-64 levels (2 to 4) that the program and its image ask for, and for
	 * which the emulator itself has to be asked; 0: nothing to ask */
	uint32_t program_level, image_level;
	struct decided decided;
	char code[32];	   /* the diagnosis code of a refusal */
	char guest[32];	   /* platform that will run: "linux/arm64" */
	char program[256]; /* the program as the person wrote it, with its chain */
	char handler[64];  /* binfmt_misc entry that will run it, for the log */
	char line[1024];   /* VERDICT_REFUSE: the whole line "crossarch[CODE]: ..." */
	char warnings[REPORT_WARNINGS][960];
	char cpu[64];	/* QEMU_CPU, "" without one; the shim believes mode edit only */
	struct err err; /* VERDICT_NONE: why */
};

/* An all-zero record with version and size set. */
void report_init(struct report *r);

/*
 * Checks the @n bytes read from the pipe and copies them to @ret with every string terminated.
 * ERR_INVALID for a record of another size or version or with values out of range.
 */
MUST_CHECK int report_decode(const void *bytes, size_t n, struct report *ret, struct err *err);

/* The same for all that a prepare wrote until it ended: the record without REPORT_MORE. */
MUST_CHECK int report_decode_last(const void *bytes, size_t n, struct report *ret, struct err *err);

/* CODE of the line "crossarch[CODE]: ...", "" where there is none. */
void report_code_of(const char *line, char ret[static 32]);

/* Writes the record to @fd in one piece. */
MUST_CHECK int report_write(int fd, const struct report *r, struct err *err);

/* The same to a socket, and the descriptor @passed with it. */
MUST_CHECK int report_send(int fd, const struct report *r, int passed, struct err *err);

/*
 * Reads up to @n bytes of records from the socket @fd; a descriptor that comes with them goes to
 * *@passed, which must be -1 before. With @passed NULL none is taken: the kernel closes it. What
 * read(2) returns, and errno.
 */
ssize_t report_receive(int fd, void *bytes, size_t n, int *passed);
