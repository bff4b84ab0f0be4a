/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/binfmt/rule.h"
#include "runtime/oci/json.h"
#include "runtime/oci/rootfs_view.h"
#include "runtime/oci/spec.h"
#include "runtime/plan/inspect.h"
#include "runtime/plan/plan.h"
#include "runtime/prepare/client.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/* From the start of prepare to the end of waiting for the image's platform. */
#define PLATFORM_WAIT_NS 500000000u

/* One run. Everything in it is released when the process ends; nothing is shared. */
struct prepare {
	uint64_t started_ns;		/* monotonic */
	bool has_request, has_platform; /* the optional descriptors are there */
	struct arena arena;
	struct prepare_request request; /* lives in the arena */
	struct report report;		/* what has been found out so far */

	json *document; /* config.json, NULL before it is read; owned */
	struct spec spec;
	struct settings settings;

	struct host host;
	int binfmt_fd; /* owned, -1: none */
	bool binfmt_mounted;
	struct binfmt_registry binfmt;
	struct emulator_files emulators;
	const char *levels; /* the text of LEVELS_FILE, in the arena; NULL: not read */
	struct rootfs_view view;
	bool own_binfmt;      /* it is the instance of the container's user namespace */
	bool private_wanted;  /* this mode may give the pod emulators of its own */
	bool private_ours;    /* with own_binfmt: the instance is one that we made */
	bool private_offered; /* p->binfmt holds pending handlers */
	int out;  /* mode edit: the file that may get a name in the bundle; owned, -1: none */
	int sink; /* mode edit: /dev/null; owned, -1: none */
};

/* Modes: each fills p->report, or fails; what it learned before failing stays in the report. */
MUST_CHECK int mode_settings(struct prepare *p, struct err *err);
MUST_CHECK int mode_create(struct prepare *p, struct err *err);
MUST_CHECK int mode_exec(struct prepare *p, struct err *err);
MUST_CHECK int mode_edit(struct prepare *p, struct err *err);
MUST_CHECK int mode_after(struct prepare *p, struct err *err);
MUST_CHECK int mode_engine_error(struct prepare *p, struct err *err);
MUST_CHECK int mode_private(struct prepare *p, struct err *err);

/* Reads the request on FD_REQUEST; none is an empty one. */
MUST_CHECK int load_request(struct prepare *p, struct err *err);

/* Reads config.json of the bundle into p->document and p->spec. */
MUST_CHECK int load_spec(struct prepare *p, struct err *err);

/*
 * The node's file as text into p->request. With one that cannot be used *@ret_bad is set and the
 * report refuses, here and below.
 */
MUST_CHECK int load_settings_file(struct prepare *p, bool *ret_bad, struct err *err);

/* What load_request() and load_settings_file() gave, into p->settings. */
void load_settings(struct prepare *p, bool *ret_bad);

/* The engine that the settings come to, into the report. */
MUST_CHECK int load_engine(struct prepare *p, struct err *err);

/*
 * The settings that hold at Create hold for the whole life of the container, so that a later change
 * of the node's file cannot break its execs. kept_write() writes them into the bundle before the
 * image is looked at. kept_read() reads them back in place of those in the request; if the bundle
 * has none, the request is left as it is.
 */
MUST_CHECK int kept_write(const struct prepare *p, struct err *err);
MUST_CHECK int kept_read(struct prepare *p, bool *ret_bad, struct err *err);

/* The node, before any filter is in place; the handlers' table is opened, not read. */
MUST_CHECK int load_host(struct prepare *p, struct err *err);

/* Reads the handlers and opens their interpreters. */
MUST_CHECK int load_binfmt(struct prepare *p, struct err *err);

/* The facts about @process in p->view. */
MUST_CHECK int check_gather(struct prepare *p, const struct spec_process *process,
			    enum facts_purpose purpose, struct facts *ret, struct err *err);

/* Opens the rootfs of the bundle with the mounts of its specification as p->view. */
MUST_CHECK int open_bundle_view(struct prepare *p, struct err *err);

/*
 * The file that the kubelet reads a container's last words from, open for appending: the source of
 * the mount it adds for terminationMessagePath. -1 without one, or when the container may not write
 * it.
 */
int termination_open(const struct spec *s);

/*
 * Decides about @process in p->view, and fills the report; the plan is for further edits. A refusal
 * waits for the image's platform (p->has_platform), which makes its line better.
 */
MUST_CHECK int check_process(struct prepare *p, const struct spec_process *process,
			     enum facts_purpose purpose, struct facts *ret_facts, struct plan *ret,
			     struct err *err);

/*
 * False when the process would be somebody else in the variant of the image that was chosen for it
 * than in that which containerd looked the user up in; the report then refuses. True where nothing
 * was chosen.
 */
bool check_user(struct prepare *p);

/*
 * The rest for a program that may run: sends the report as it is, so that the engine can begin, and
 * then waits for the image's platform, which can still reverse the answer or add a warning.
 */
MUST_CHECK int check_declared(struct prepare *p, struct facts *f, struct plan *plan,
			      struct err *err);

/*
 * Where the pod asks for emulators of its own and may have them: adds those that the node's files
 * allow for to p->binfmt, as pending.
 */
MUST_CHECK int private_offer(struct prepare *p, struct err *err);

/* Why a pod that asks for emulators of its own must not have them, CAUSE_NONE otherwise. */
enum cause private_bar(const struct prepare *p);

/* The pod asks for emulators of its own and may have them, whatever its programs are. */
void private_decide(struct prepare *p);

/* The line for binfmt_misc with which the handler for programs of @a is registered. */
MUST_CHECK int private_rule(const struct arch *a, char ret[REGISTER_MAX + 1], struct err *err);

/* The row the request names, NULL for none. */
const struct arch *request_guest(const struct prepare_request *r);

/* The instance we made for the user namespace of @pid, -1 when there is none. */
int private_open(const char *pid);

/*
 * If the process @pid (a number as text) is in another user namespace that has a binfmt_misc of its
 * own mounted, that one takes the place of the node's in @p.
 */
void use_own_binfmt(struct prepare *p, const char *pid);
