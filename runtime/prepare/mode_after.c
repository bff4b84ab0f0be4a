/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/image/words.h"
#include "runtime/plan/diagnosis.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/prepare.h"

/*
 * A process started and ended with a status that a wrong architecture can cause. This looks for the
 * program that explains it, with the same check as before a start, and says nothing unless exactly
 * that status follows from exactly one thing that is there on disk:
 *
 *   2, 126    a program named by the shell text that was run cannot be executed
 *   127, 255  one of them, or what the emulator needs for it, is not there
 *   132       (SIGILL) the program asks for more than the processor has, or ran emulated
 *   159       (SIGSYS) it ran emulated under a profile without what the emulator needs
 */
#define TEXT_MAX_BYTES 16384
#define SUSPECTS_MAX 64

struct look {
	struct prepare *p;
	const struct spec_process *process;
	uint64_t status;
	char text[TEXT_MAX_BYTES];
	size_t text_len;
	bool several; /* more than one thing would explain the status: then none is named */
};

/* Causes that make execve() of a child fail with ENOEXEC or EACCES: shells answer 126, or 2 after
 * reading it as a script. */
static bool explains_126(enum cause c)
{
	return (c >= CAUSE_NO_EMULATOR && c <= CAUSE_ABI_HANDLER && c != CAUSE_NOT_PINNED &&
		c != CAUSE_EMULATOR_LOADER) ||
	       (c >= CAUSE_NOT_LINUX && c <= CAUSE_WASM) || c == CAUSE_LOADER_FOREIGN ||
	       c == CAUSE_LOADER_NOT_ELF || c == CAUSE_ZEROS || c == CAUSE_CUT || c == CAUSE_NOEXEC;
}

/* Causes that make it fail with ENOENT, or the emulator with "Could not open". */
static bool explains_127(enum cause c)
{
	return c == CAUSE_NOT_PINNED || c == CAUSE_EMULATOR_LOADER || c == CAUSE_ABI_LOADER ||
	       c == CAUSE_LOADER_MISSING || c == CAUSE_LOADER_OTHER || c == CAUSE_CRLF ||
	       c == CAUSE_INTERPRETER_MISSING;
}

static bool explains(uint64_t status, const struct facts *f, const struct plan *plan)
{
	if (plan->verdict != VERDICT_REFUSE)
		return false;
	if (status == 2 || status == 126)
		return explains_126(plan->cause);
	if (status == 127)
		return explains_127(plan->cause);
	/* 255 is qemu's own exit when it finds no loader for its guest. */
	return status == 255 && f->handler && explains_127(plan->cause);
}

static void say(struct prepare *p, const struct facts *f, const struct plan *plan, enum cause why)
{
	char line[DIAGNOSIS_MAX + 1];

	diagnosis_line(f, plan, why, line);
	p->report.verdict = VERDICT_REFUSE;
	diagnosis_program(f, p->report.program, sizeof(p->report.program));
	(void)str_copy(p->report.code, sizeof(p->report.code), cause_row(why)->code);
	(void)str_copy(p->report.line, sizeof(p->report.line), line);
}

/* One candidate. What has been said already stays unless this one is about something else. */
static int suspect(struct look *l, const char *name, struct err *err)
{
	const char *const args[] = { name, NULL };
	struct spec_process child = *l->process;
	char before[sizeof(l->p->report.program)];
	struct facts f;
	struct plan plan;

	child.args = args;
	if (check_gather(l->p, &child, FOR_EXEC, &f, err) < 0)
		return -1;
	plan_make(&f, &plan);
	if (!explains(l->status, &f, &plan))
		return 0;
	(void)str_copy(before, sizeof(before), l->p->report.program);
	if (l->p->report.verdict != VERDICT_REFUSE) {
		say(l->p, &f, &plan, plan.cause);
		return 0;
	}
	diagnosis_program(&f, l->p->report.program, sizeof(l->p->report.program));
	l->several = l->several || !str_eq(before, l->p->report.program);
	return 0;
}

static int suspects(struct look *l, struct err *err)
{
	struct words w;

	words_init(&w, l->text, l->text_len);
	for (unsigned int n = 0; n < SUSPECTS_MAX && words_next(&w); n++)
		if (suspect(l, w.word, err) < 0)
			return -1;
	if (l->several)
		l->p->report.verdict = VERDICT_NATIVE;
	return 0;
}

/* `sh -c TEXT`, with other letters around the c as in -ec. */
static const char *shell_text(const struct spec_process *process)
{
	const char *const *args = process->args;
	const char *base;

	if (!args[0] || !args[1] || !args[2])
		return NULL;
	base = strrchr(args[0], '/');
	base = base ? base + 1 : args[0];
	if (!str_ends(base, "sh") || args[1][0] != '-' || !str_ends(args[1], "c"))
		return NULL;
	return args[2];
}

static void read_script(struct look *l, const char *path)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;
	ssize_t n;

	view_find(&l->p->view, l->process->cwd, path, &found);
	if (found.kind != FOUND_FILE)
		return;
	n = pread(found.fd, l->text, sizeof(l->text), 0);
	l->text_len = n > 0 ? (size_t)n : 0;
}

/* The text whose commands the process ran: from the command line, or the script itself. */
static void find_text(struct look *l, const struct facts *f)
{
	const char *text = shell_text(l->process);

	if (text) {
		l->text_len = strnlen(text, sizeof(l->text));
		memcpy(l->text, text, l->text_len);
	} else if (f->n_chain > 1 && f->chain[0].path) {
		read_script(l, f->chain[0].path);
	}
}

/* The process itself: signals that only make sense for what it is. */
static void judge_signal(struct look *l, const struct facts *f, struct plan *plan)
{
	const struct program_file *program = facts_last(f);
	bool emulated = plan->verdict == VERDICT_EMULATE || plan->cause == CAUSE_SECCOMP;

	if (l->status == 128 + SIGILL && emulated)
		say(l->p, f, plan, CAUSE_ILLEGAL);
	else if (l->status == 128 + SIGILL && f->host->x86_level &&
		 program->image.x86_level > f->host->x86_level)
		say(l->p, f, plan, CAUSE_CPU_PROGRAM);
	else if (l->status == 128 + SIGSYS && emulated && f->seccomp.blocked)
		say(l->p, f, plan, CAUSE_SECCOMP);
}

static int look(struct prepare *p, const struct spec_process *process, struct err *err)
{
	struct look l = { .p = p, .process = process, .status = p->request.exit_status };
	struct facts f;
	struct plan plan;

	p->report.verdict = VERDICT_NATIVE;
	if (check_gather(p, process, FOR_EXEC, &f, err) < 0)
		return -1;
	plan_make(&f, &plan);
	if (l.status > 128 && l.status != 255) {
		judge_signal(&l, &f, &plan);
		return 0;
	}
	find_text(&l, &f);
	return suspects(&l, err);
}

int mode_after(struct prepare *p, struct err *err)
{
	CLEANUP_JSON json *document = NULL;
	struct spec_process process;
	bool bad;

	if (load_request(p, err) < 0 || kept_read(p, &bad, err) < 0 || load_host(p, err) < 0 ||
	    confine_calls(-1, -1, err) < 0 || load_spec(p, err) < 0)
		return -1;
	if (!bad)
		load_settings(p, &bad);
	p->report.verdict = VERDICT_NATIVE;
	p->report.line[0] = '\0';
	if (bad)
		return 0;
	p->private_wanted = true;
	if (load_binfmt(p, err) < 0 || open_bundle_view(p, err) < 0 ||
	    confine_files(&p->view, FD_BUNDLE, err) < 0)
		return -1;
	if (!p->request.process_len)
		return look(p, &p->spec.process, err);
	if (json_parse(p->request.process, (size_t)p->request.process_len, "process", &document,
		       err) < 0 ||
	    spec_process_read(document, &p->arena, &process, err) < 0)
		return -1;
	return look(p, &process, err);
}
