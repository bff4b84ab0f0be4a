/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/err.h"

/*
 * What crossarch-prepare tells the shim: a fixed-size record on descriptor 3. A new container's may
 * be followed by a second one: what the image's platform changes (REPORT_MORE). Both programs come
 * from one build; the version and the size catch a mixed installation. Strings are always
 * terminated. A record that is short, of another version or not sensible is an error of prepare,
 * never a started container.
 */
#define REPORT_VERSION 3

/*
 * Emulators of single pods: PRIVATE_DIR/<inode of the user namespace>/ holds the mounted instance,
 * PRIVATE_MOUNT, and a symbolic link <container id> -> <bundle> for every container that needs it.
 * Whoever changes something there holds a lock on PRIVATE_DIR.
 */
#define PRIVATE_DIR "/run/crossarch/binfmt"
#define PRIVATE_MOUNT "handlers"
#define PRIVATE_PREFIX "crossarch-private-" /* of names of handlers; then the architecture */

enum verdict {
	VERDICT_NONE,	 /* prepare failed: `err` says why */
	VERDICT_NATIVE,	 /* the node's own processor runs it */
	VERDICT_EMULATE, /* a registered binfmt_misc handler will run it */
	VERDICT_REFUSE,	 /* `line` holds the diagnosis for the person */
	VERDICT_N,
};

enum report_flag {
	REPORT_SYSTEMD_CGROUP = 1u
				<< 0, /* cgroupsPath has the slice:prefix:name form, or asked for */
	REPORT_NO_PIVOT = 1u << 1,
	REPORT_NO_NEW_KEYRING = 1u << 2,
	REPORT_PRIVATE_PID = 1u << 3, /* the spec creates its own pid namespace */
	REPORT_PATCHED = 1u << 4,     /* config.json.crossarch, or that of the exec's process, was
				       * written and must be used */
	REPORT_MOUNTED = 1u << 5,     /* something is mounted on the rootfs */
	REPORT_PRIVATE = 1u << 6,     /* mode private must register `rule` before the start */
	REPORT_MORE = 1u << 7,	      /* go on, but nothing may start before the next record */
	REPORT_POSTSTOP = 1u << 8,    /* hooks run after the end, and may want the rootfs */
	REPORT_FLAGS_ALL = (1u << 9) - 1,
};

/* The most warnings one container can have; more are cut with a note. */
#define REPORT_WARNINGS 4

struct report {
	uint32_t version; /* REPORT_VERSION */
	uint32_t size;	  /* sizeof(struct report) */
	uint32_t verdict; /* enum verdict */
	uint32_t flags;	  /* enum report_flag */
	uint32_t io_uid, io_gid;
	uint32_t log_level; /* enum log_level */
	uint32_t n_warnings;
	char code[32];	   /* the diagnosis code of a refusal */
	char guest[32];	   /* platform that will run: "linux/arm64" */
	char program[256]; /* the program as the person wrote it, with its chain */
	char handler[64];  /* binfmt_misc entry that will run it */
	char line[1024];   /* VERDICT_REFUSE: the whole line "crossarch[CODE]: ..." */
	char warnings[REPORT_WARNINGS][960];
	char engine[256]; /* absolute path of runc or crun */
	char root[256];	  /* the engine's state prefix from the options; "" for the default */
	char cgroup[512]; /* from the root of the hierarchies, "" when cgroupsPath names none */
	char shim_cgroup[256]; /* "" when not asked for */
	char criu_image_path[256];
	char criu_work_path[256];
	char termination[256]; /* host path of the termination message file, "" without one */
	char cpu[64];	       /* QEMU_CPU for execs, "" without one */
	char rule[1024];       /* REPORT_PRIVATE: the line for binfmt_misc */
	char pod[80];	       /* id of the pod's sandbox, "" without one */
	struct err err;	       /* VERDICT_NONE: why */
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

/* Writes the record to @fd in one piece. */
MUST_CHECK int report_write(int fd, const struct report *r, struct err *err);
