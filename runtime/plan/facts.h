/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/arch/platform.h"
#include "runtime/binfmt/emulator_kind.h"
#include "runtime/binfmt/registry.h"
#include "runtime/host/host.h"
#include "runtime/image/image.h"
#include "runtime/image/version.h"
#include "runtime/oci/rootfs_view.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/settings.h"
#include "runtime/plan/cause.h"

/*
 * Everything the decision depends on, gathered before it is taken. Plain data: a test writes one
 * down by hand. Names point into the specification, the images or the arena they were made in.
 */

/* One file that has a part in running the program. */
struct program_file {
	const char *path;  /* as whoever named it wrote it; NULL: not looked for */
	const char *where; /* in the container, absolute and without links; NULL: not known */
	enum found_kind found;
	mode_t mode;
	bool noexec;	    /* on a mount that forbids execution */
	const char *volume; /* where the mount it is on is mounted, NULL: the image's own */
	struct image image; /* FOUND_FILE */
};

/* The program and its interpreters: the kernel gives up after five replacements. */
#define FACTS_CHAIN 6

enum facts_purpose {
	FOR_CONTAINER,
	FOR_SANDBOX, /* the pod's own container: what the pod asks for does not concern it */
	FOR_EXEC,
};

struct facts {
	enum facts_purpose purpose;
	enum cause
		private_bar; /* why it must not have emulators of its own, CAUSE_NONE if it may */
	const struct host *host;
	const struct binfmt_registry *binfmt;
	const struct settings *settings;
	bool hooks_before;	/* hooks run before the program does that may change any file */
	bool engine_runs_it;	/* the engine has its own handler for this (crun and WebAssembly) */
	bool private_offered;	/* it gets emulators of its own: `binfmt` holds those, too */
	bool own_binfmt;	/* `binfmt` is an instance of the container's own user namespace */
	bool no_new_privileges; /* set-user-ID programs have no effect */
	bool chain_too_long;	/* the kernel would give up before its end */
	bool emulator_is_qemu;	/* a qemu-user that could be looked at */
	bool go; /* a Go program of amd64 that would be emulated on arm64 with its high addresses */
	bool dotnet; /* a .NET program under qemu, as it comes out of the box */

	/* The program, then the interpreter of its #! line and so on; the last is no script. */
	struct program_file chain[FACTS_CHAIN];
	size_t n_chain;

	struct program_file loader; /* what PT_INTERP of the last link names; for qemu-user with its
				     * prefix, if it is there */
	const char *library;	    /* after the end: a shared library that is nowhere, or */
	uint64_t library_page;	    /* if not 0, that loads with pages of up to so many bytes */
	const char *allocator;	    /* after the end: the file with a jemalloc in it, in the
				     * container */
	uint64_t allocator_page;    /* and the largest page, in bytes, that this can do with */
	const char *other_loader;   /* loader missing: one of another kind that is there */
	const struct binfmt_entry
		*handler; /* enabled, and the kernel will use it for the last link */
	const struct binfmt_entry *rival;    /* another one that matches */
	struct program_file emulator;	     /* the handler's interpreter: in the container, or with
					      * flag F on the node */
	struct program_file emulator_loader; /* what the interpreter's PT_INTERP or #!
					      * line names, in the container */
	uint64_t emulator_changed_ns;	     /* last change of the interpreter's file, 0 unknown */
	struct version emulator_version;
	const char *cpu_model; /* what QEMU_CPU will say to it, "" or NULL: nothing */
	/* What it said when it was asked, of programs of amd64: the x86-64 level (1 to 4) of that
	 * model, and of the best one that it has; 0: it was not asked. */
	unsigned int emulator_level, emulator_most;
	struct version go_version; /* of the Go that made it, 0.0.0 when not known */

	struct platform declared; /* what the image's configuration says, if known */
	uint64_t memory_max;	  /* bytes, 0 without a limit */
	struct seccomp_fit seccomp;
};

/* The link that decides: the program, or the last interpreter; empty when nothing was looked at. */
static inline const struct program_file *facts_last(const struct facts *f)
{
	return &f->chain[f->n_chain ? f->n_chain - 1 : 0];
}

/* Architecture of the last link; NULL unless it is an ELF program of a known one. */
static inline const struct arch *facts_guest(const struct facts *f)
{
	const struct program_file *p = facts_last(f);
	const struct ident *id;

	if (!f->n_chain || p->found != FOUND_FILE || p->image.kind != IMAGE_ELF)
		return NULL;
	id = &p->image.ident;
	return arch_of_elf(id->machine, id->cls, id->order, id->flags);
}

/*
 * What is known of qemu does not hold for the emulator: it is known as another one. Of one that
 * nobody knows it may, for most of them start a qemu in the end.
 */
static inline bool facts_other_emulator(const struct facts *f)
{
	return f->handler && emulator_kind_is_other(emulator_kind_of(f->handler));
}
