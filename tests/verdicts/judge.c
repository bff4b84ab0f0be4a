/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/verdicts/verdicts.h"

/*
 * Programs that are let through and fail all the same, and why that is right. Nothing here excuses
 * a refusal of what runs.
 */
static bool is_missing(const struct trial *t, const struct report *r, const struct truth *x)
{
	(void)t;
	return r->verdict == VERDICT_NATIVE && !x->started &&
	       (x->error == ENOENT || x->error == ENOTDIR || x->error == ENAMETOOLONG);
}

static bool is_warned(const struct trial *t, const struct report *r, const struct truth *x)
{
	(void)t, (void)x;
	return r->n_warnings && strstr(r->warnings[0], "crossarch[file-damaged]");
}

/* An engine makes the file a mount goes on, in whatever was mounted there before. */
static bool is_mount_point(const struct trial *t, const struct report *r, const struct truth *x)
{
	return t->engine && r->verdict == VERDICT_NATIVE &&
	       (x->error == ENOEXEC || x->error == EACCES) && strstr(t->label, "/x at /a/b/x");
}

/*
 * What a hook may change is not known; the engines differ even in when they run them, and one that
 * runs after the start is quicker than an emulator that opens the program once more.
 */
static bool is_hooked(const struct trial *t, const struct report *r, const struct truth *x)
{
	(void)x;
	return t->hooks.len && r->verdict != VERDICT_REFUSE;
}

/* Mount points that the engine cannot make, in a volume that is read-only by then. */
static bool is_engine(const struct trial *t, const struct report *r, const struct truth *x)
{
	return t->engine && r->verdict == VERDICT_NATIVE && strstr(x->words, "error mounting");
}

/* crun keeps noexec whatever follows it (1.8 to 1.28), runc the last of them, as mount(8) does. */
static bool is_order(const struct trial *t, const struct report *r, const struct truth *x)
{
	return t->engine && r->verdict != VERDICT_REFUSE && x->error == EACCES &&
	       strstr(t->label, "\"noexec\",\"exec\"") &&
	       (strstr(x->words, "open executable") || strstr(x->words, "is not executable"));
}

/* How much room the node leaves below and above: vm.mmap_min_addr, the size of address spaces. */
static bool is_room(const struct trial *t, const struct report *r, const struct truth *x)
{
	(void)t;
	return r->verdict == VERDICT_EMULATE &&
	       (strstr(x->words, "mapping file: Operation not permitted") ||
		strstr(x->words, "mapping file: Cannot allocate memory"));
}

static bool is_guest_note(const struct trial *t, const struct report *r, const struct truth *x)
{
	(void)t;
	return r->verdict == VERDICT_EMULATE && strstr(x->words, "PT_GNU_PROPERTY");
}

static bool dies_by_itself(const struct trial *t, const struct report *r, const struct truth *x)
{
	(void)t, (void)r;
	return x->started && x->signalled &&
	       (x->status == SIGSEGV || x->status == SIGILL || x->status == SIGBUS);
}

static const struct {
	const char *name, *reason;
	bool (*holds)(const struct trial *t, const struct report *r, const struct truth *x);
} exceptions[] = {
	{ "missing", "no such program: the engine's own message names it", is_missing },
	{ "cut", "started with a warning: the file ends before its last segment", is_warned },
	{ "own fault", "it is loaded; what it then executes is not there", dies_by_itself },
	{ "mount point", "the engine makes an empty file to mount another on", is_mount_point },
	{ "engine", "the engine cannot mount what the specification says, and says so", is_engine },
	{ "order", "crun lets noexec win over a later exec, runc does not", is_order },
	{ "room", "addresses that another node may have room for", is_room },
	{ "hook", "a hook could have put the right file there, and did not", is_hooked },
	{ "note", "qemu reads a note that no linker writes like this", is_guest_note },
};

void judge_print_exceptions(const unsigned int *used)
{
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		printf("# exception %-10s %5u times: %s\n", exceptions[i].name, used[i],
		       exceptions[i].reason);
}

static bool ran(const struct truth *x)
{
	return x->started && !x->signalled && x->status >= RAN_PROGRAM && x->status <= RAN_EMULATED;
}

static const char *judge_ran(const struct trial *t, const struct report *r, const struct truth *x)
{
	if (r->verdict == VERDICT_REFUSE)
		return "refused, but it runs";
	/* What a hook makes of a foreign program is not known before. */
	if (r->verdict == VERDICT_EMULATE && !t->hooks.len && x->status != RAN_HANDLER &&
	    x->status != RAN_EMULATED)
		return "called emulated, but the node runs it";
	return NULL;
}

/* What execve() says to each code; the engines' own words are not held to it. */
static const struct {
	const char *code;
	int errors[6];
} expected[] = {
	{ "no-emulator", { ENOEXEC } },
	{ "emulator-disabled", { ENOEXEC } },
	{ "emulator-not-pinned", { ENOENT } },
	{ "emulator-broken", { ENOENT, EACCES, ENOEXEC, ELOOP } },
	{ "binfmt-not-mounted", { ENOEXEC } },
	{ "no-32bit", { ENOEXEC } },
	{ "abi-mismatch", { ENOEXEC, ENOENT } },
	{ "loader-missing", { ENOENT, EACCES, ELOOP } },
	{ "loader-foreign", { ELIBBAD, EIO } },
	{ "header-not-matched", { ENOEXEC } },
	/* Where the x bit is missing, too, what would help is said. */
	{ "script-no-shebang", { ENOEXEC, ENOENT, EACCES } },
	{ "script-crlf", { ENOENT } },
	{ "script-interpreter-missing", { ENOENT } },
	{ "file-empty", { ENOEXEC, EACCES } },
	{ "file-damaged", { ENOEXEC, EIO, ENOENT, ELIBBAD, EACCES, EINVAL } },
	{ "not-linux", { ENOEXEC, EACCES, ENOENT } },
	{ "not-executable", { EACCES, ELOOP, ENOENT } },
	{ "page-size", { 0 } },
};

static const char *judge_reason(const struct trial *t, const struct report *r,
				const struct truth *x)
{
	int error = x->error == ENOTDIR ? ENOENT : x->error;

	if (x->started || t->engine)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		if (!str_eq(expected[i].code, r->code))
			continue;
		for (size_t n = 0; n < ARRAY_SIZE(expected[i].errors); n++)
			if (expected[i].errors[n] == error)
				return NULL;
		return "refused for another reason than the kernel's";
	}
	return "refused with a code that no case is about";
}

const char *judge_verdict(const struct trial *t, const struct report *r, const struct truth *truth,
			  unsigned int *used)
{
	if (r->verdict == VERDICT_NONE)
		return "no verdict";
	if (ran(truth))
		return judge_ran(t, r, truth);
	if (r->verdict == VERDICT_REFUSE)
		return judge_reason(t, r, truth);
	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
		if (exceptions[i].holds(t, r, truth)) {
			used[i]++;
			return NULL;
		}
	return truth->started ? "let through, but it dies" : "let through, but execve fails";
}
