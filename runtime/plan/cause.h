/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Every reason to refuse a program or to warn about it, finer than the codes people see: one code
 * may have several causes with sentences of their own. The order is that of the table in cause.c.
 */
enum cause {
	CAUSE_NONE,
	CAUSE_NO_EMULATOR,
	CAUSE_HANDLER_DISABLED,
	CAUSE_BINFMT_OFF,
	CAUSE_NOT_PINNED,
	CAUSE_EMULATOR_MODE,
	CAUSE_EMULATOR_KIND,
	CAUSE_EMULATOR_FOREIGN,
	CAUSE_EMULATOR_SELF,
	CAUSE_EMULATOR_LOADER,
	CAUSE_EMULATOR_SCRIPT,
	CAUSE_NOT_MOUNTED,
	CAUSE_UNSUPPORTED,
	CAUSE_HIDDEN,
	CAUSE_HEADER,
	CAUSE_NO_32BIT,
	CAUSE_X32,
	CAUSE_ABI_NODE,
	CAUSE_ABI_HANDLER,
	CAUSE_ABI_LOADER,
	CAUSE_CPU_PROGRAM,
	CAUSE_CPU_DECLARED,
	CAUSE_CPU_EMULATED,
	CAUSE_CPU_MODEL,
	CAUSE_CPU_DECLARED_EMULATED,
	CAUSE_ILLEGAL, /* only after the end: an emulated program died of SIGILL */
	CAUSE_PAGE_SIZE,
	CAUSE_ALLOCATOR, /* only after the end */
	CAUSE_LOADER_MISSING,
	CAUSE_LOADER_OTHER,
	CAUSE_LOADER_MODE,
	CAUSE_LOADER_NOEXEC,
	CAUSE_LOADER_FOREIGN,
	CAUSE_LOADER_NOT_ELF,
	CAUSE_LOADER_BROKEN,
	CAUSE_LIBRARY, /* only after the end, this and the next */
	CAUSE_LIBRARY_PAGES,
	CAUSE_NO_SHEBANG,
	CAUSE_BOM,
	CAUSE_NAMELESS,
	CAUSE_LONG,
	CAUSE_UTF16,
	CAUSE_APE,
	CAUSE_NOT_IT,
	CAUSE_CRLF,
	CAUSE_INTERPRETER_MISSING,
	CAUSE_EMPTY,
	CAUSE_ZEROS,
	CAUSE_CUT,
	CAUSE_CUT_SEGMENT,
	CAUSE_SEGMENTS,
	CAUSE_INTERP,
	CAUSE_NOT_LINUX, /* from here */
	CAUSE_JAVA,
	CAUSE_ASSEMBLY,
	CAUSE_SYSTEM,
	CAUSE_OBJECT,
	CAUSE_NO_PROGRAM,
	CAUSE_WASM, /* to here: whole files of another kind */
	CAUSE_NO_X_BIT,
	CAUSE_DIRECTORY,
	CAUSE_SPECIAL,
	CAUSE_LOOP,
	CAUSE_NOEXEC,
	CAUSE_TOO_DEEP,
	CAUSE_PLATFORM,
	CAUSE_PLATFORM_DECLARED,
	CAUSE_NEVER,
	CAUSE_SECCOMP,
	CAUSE_SECCOMP_DENIED,
	CAUSE_PRIVATE_PRIVILEGED,
	CAUSE_PRIVATE_HOST_PID,
	CAUSE_PRIVATE_TAKEN,
	CAUSE_PRIVATE_MISSING,
	CAUSE_PLATFORM_UNAVAILABLE, /* from here: choosing a platform, choice_line.h */
	CAUSE_PLATFORM_NEVER,
	CAUSE_PLATFORM_HELD,
	CAUSE_PLATFORM_PULLING,
	CAUSE_PLATFORM_QUEUED,
	CAUSE_PLATFORM_PULL_DENIED,
	CAUSE_PLATFORM_PULL_FAILED,
	CAUSE_PLATFORM_PULL_NOT_FOUND,
	CAUSE_PLATFORM_PULL_CORRUPT,
	CAUSE_PLATFORM_PULL_DISK_FULL,
	CAUSE_PLATFORM_PULL_UNREACHABLE,
	CAUSE_PLATFORM_PULL_GONE,
	CAUSE_PLATFORM_PULL_TOO_LARGE,
	CAUSE_PLATFORM_DIFFERS,
	CAUSE_PLATFORM_GROUPS,
	CAUSE_PLATFORM_NO_PROGRAM,
	CAUSE_PLATFORM_NO_USER, /* to here */
	CAUSE_CONFIG,		/* its texts are in a struct complaint, filled where it was found */
	/* warnings, from here on */
	CAUSE_WARN_LABEL,
	CAUSE_WARN_SETUID,
	CAUSE_WARN_REPLACED,
	CAUSE_WARN_SEVERAL,
	CAUSE_WARN_SHADOWED,
	CAUSE_WARN_ARGV0,
	CAUSE_WARN_OLD,
	CAUSE_WARN_MEMORY,
	CAUSE_WARN_CUT,
	CAUSE_WARN_SYSTEM,
	CAUSE_WARN_GO,
	CAUSE_WARN_DOTNET,
	CAUSE_WARN_MODEL,
	CAUSE_N,
};

/* The parts of one line. {name} stands for what diagnosis.c, or choice_line.c, fills in. */
struct cause_row {
	const char *code;
	const char *what, *why, *fix;
};

/* About what an image has and how it comes to the node, not about a program's file. */
static inline bool cause_is_choice(enum cause c)
{
	return c >= CAUSE_PLATFORM_UNAVAILABLE && c <= CAUSE_PLATFORM_NO_USER;
}

/* The parts of the table: reasons to refuse, those of a choice, and warnings. Static storage. */
const struct cause_row *cause_refusal_row(enum cause c);
const struct cause_row *cause_choice_row(enum cause c);
const struct cause_row *cause_warning_row(enum cause c);

static inline const struct cause_row *cause_row(enum cause c)
{
	if (cause_is_choice(c))
		return cause_choice_row(c);
	return c < CAUSE_WARN_LABEL ? cause_refusal_row(c) : cause_warning_row(c);
}
