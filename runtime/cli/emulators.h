/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/binfmt/emulator_kind.h"
#include "runtime/binfmt/registry.h"
#include "runtime/host/host.h"

/*
 * The handlers of this node as a person wants to see them: what each is for, which emulator of
 * which version is behind it, whether it comes back after a reboot, and whether it works.
 */

enum works {
	WORKS_UNTRIED, /* not asked, disabled, or there is no built-in program for it */
	WORKS_YES,
	WORKS_NO,
};

struct emulator {
	const struct binfmt_entry *entry;
	const struct arch *arch; /* whose programs it matches, NULL: none that we know */
	const struct emulator_kind *kind;
	bool used;	  /* the kernel uses it for them; false: another one comes first */
	bool native;	  /* the node runs such programs by itself */
	char version[32]; /* "" when it does not tell */
	char boot[256];	  /* the file that registers it again after a reboot, "" without */
	enum works works;
	char why[160];	 /* WORKS_NO */
	char apart[160]; /* WORKS_YES, but not in a container: why; "" else and when not tried */
};

struct node {
	struct host host;
	struct binfmt_registry binfmt;
	int dirfd;	       /* the instance, owned; -1: cannot be opened */
	bool mounted;	       /* where it belongs; otherwise dirfd is a detached mount */
	struct emulator *list; /* sorted by name, owned */
	size_t n;
};

#define NODE_INIT            \
	{                    \
		.dirfd = -1, \
	}
#define CLEANUP_NODE CLEANUP(node_deinit)
void node_deinit(struct node *n);

/* Reads the host and its handlers. Nothing is run. */
MUST_CHECK int node_read(struct node *ret, struct err *err);

/* Fills `version`, by asking each interpreter. */
void emulators_ask_versions(struct node *n);

/*
 * Fills `works`, by running the built-in program through the kernel, and for others than qemu
 * `apart`, by running it in a container's root; once for each entry.
 */
void emulators_try(struct node *n);

/* What a handler is for: the first architecture whose usual header it matches; NULL: none. */
const struct arch *emulator_arch(const struct binfmt_entry *e);

/* The name to type for @a: OCI's, or qemu's where OCI has none. */
const char *arch_label(const struct arch *a);

/* Made by "crossarch emulators install". */
bool emulator_is_ours(const struct emulator *e);

/* With flag F, and its file changed since it was registered: the kernel still runs the old one. */
bool emulator_is_replaced(const struct emulator *e);

/* The emulator the kernel uses for @a; NULL without. */
const struct emulator *emulator_for(const struct node *n, const struct arch *a);

/*
 * Node labels by way of node-feature-discovery's local source: a file of "name=value" lines in
 * LABEL_DIR, to which it adds LABEL_PREFIX.
 */
#define LABEL_DIR "/etc/kubernetes/node-feature-discovery/features.d"
#define LABEL_PREFIX "feature.node.kubernetes.io/"
#define LABEL_READY "crossarch.ready"
#define LABEL_RUNS "crossarch.runs-"
#define LABEL_EMULATOR "crossarch.emulator-"
#define LABEL_LEVEL "crossarch.x86-64-v"

/*
 * Appends the lines for @n, whose emulators were tried: that crossarch is here, each architecture
 * whose containers run (natively, or under an emulator with flag F), each that has such an
 * emulator, and each x86-64 level.
 */
MUST_CHECK int labels_write(const struct node *n, struct buf *out, struct err *err);
