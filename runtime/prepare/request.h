/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/log.h"

/*
 * What the shim tells crossarch-prepare, in a memfd on descriptor 5: NUL-terminated "key=value"
 * strings. Text, because the shim already holds text, and because a person can read it.
 */
struct prepare_mount {
	const char *type, *source, *target; /* target: "" or a path below the rootfs */
	const char **options;		    /* NULL-terminated */
};

enum request_flag { /* runc's own options that arrive as booleans */
		    REQUEST_SYSTEMD_CGROUP = 1u << 0,
		    REQUEST_NO_PIVOT = 1u << 1,
		    REQUEST_NO_NEW_KEYRING = 1u << 2,
		    REQUEST_TRIAL = 1u << 3,	/* mode private: try, and leave nothing */
		    REQUEST_TERMINAL = 1u << 4, /* modes exec and edit: it gets a terminal */
		    REQUEST_HOST_IPC = 1u << 5, /* mode edit: the node's /dev/shm for pod_files */
};

struct prepare_request {
	/* for log lines only (struct log_subject) */
	const char *id; /* of the container */
	const char *namespace, *sandbox, *traceparent;

	const char *bundle;	 /* absolute path of the bundle */
	const char *config_path; /* runtimeoptions ConfigPath, "" without */
	const char *config_body; /* runtimeoptions ConfigBody, "" without */
	const char *settings;	 /* what is in the node's file, read already; "" for none */
	const char *binary_name; /* runc Options binary_name, "" without */
	const char *root;	 /* runc Options root */
	const char *shim_cgroup;
	const char *criu_image_path;
	const char *criu_work_path;
	const char *exec;     /* the exec's id, "" of init */
	const char *process;  /* modes exec and after: the OCI process JSON of an exec */
	uint64_t process_len; /* bytes of it; the value may not hold NUL */
	uint64_t init_pid;    /* modes exec and private: the container's init, 0 otherwise */
	uint64_t exit_status; /* mode after: how the process ended */
	uint64_t io_uid, io_gid;
	const char *pod;	     /* mode private: as decided */
	const char *pod_files;	     /* mode edit: what a pod without a pause container has */
	uint64_t guest_row;	     /* modes edit and private: as reported, plus one; 0: native */
	const char *program, *guest; /* mode private: for the line of a refusal */
	uint64_t flags;		     /* enum request_flag */
	/* mode create, of a container whose platform was chosen (runtime/choose): */
	const char *declared;  /* the platform that its image declares */
	const char *image;     /* its image as people write it */
	const char *reference; /* the chosen one: REPOSITORY@DIGEST */
	const char *made;      /* the platform that containerd's CRI had made it of */
	const char *user;      /* who /etc/passwd and /etc/group have to know as config.json says */
	const char *groups;    /* supplemental ones that the pod asks for, "1,2"; "*" for any */
	struct prepare_mount *mounts;
	size_t n_mounts;
};

/* As large as what it carries may be: a process or an options table of containerd. */
#define REQUEST_MAX (10u << 20)

/* Appends the text form to @out. Strings that are NULL are left out. */
MUST_CHECK int request_encode(const struct prepare_request *r, struct buf *out, struct err *err);

/* The same in a file of memory, ready to be read by whoever it is handed to; the caller's. */
MUST_CHECK int request_memfd(const struct prepare_request *r, int *ret_fd, struct err *err);

/* What lines in the log are about that are written because of it. Points into it. */
struct log_subject request_subject(const struct prepare_request *r);

/*
 * Reads the text form; everything in @ret lives in @arena, absent strings are "". ERR_INVALID on an
 * unknown key, a missing terminator or a mount member without its mount.
 */
MUST_CHECK int request_decode(const void *bytes, size_t n, struct arena *arena,
			      struct prepare_request *ret, struct err *err);
