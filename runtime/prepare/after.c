/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/after.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/image/shell_words.h"
#include "runtime/oci/wrapper.h"
#include "runtime/plan/diagnosis.h"
#include "runtime/plan/libraries.h"

/*
 * A process started and ended with a status that a wrong architecture can cause. This looks for the
 * program that explains it, with the same check as before a start, and says nothing unless exactly
 * that status follows from exactly one thing that is there on disk:
 *
 *   1, 2, 111     a program that only starts another one (an init, a changer of users) could not
 *   1             a bash that ends at errors could not go on to the command in its arguments
 *   2, 126        a program named by the shell text that was run cannot be executed
 *   127, 255      one of them, or what the emulator needs for it, is not there
 *   127           a shared library of one of them is not there, or made for smaller pages
 *   132 (SIGILL)  the program asks for more than the processor has, or ran emulated
 *   133, 134, 139 its memory allocator cannot do with the kernel's pages (abort() of glibc and of
 *                 musl as process 1, which signals do not end, executes what makes it SIGTRAP or
 *                 SIGSEGV; elsewhere it is SIGABRT)
 *   139 (SIGSEGV) it is marked as a program of another system
 *   159 (SIGSYS)  it ran emulated under a profile without what the emulator needs
 */
#define TEXT_MAX_BYTES 16384
#define SUSPECTS_MAX 64
#define DEPTH_MAX 5 /* tini, a script, gosu, a shell, the program */

/* Who would have executed a program. */
struct starter {
	const char *wrapper; /* its name, NULL for a shell */
	bool stops;	     /* a bash that ends at errors */
};

struct look {
	struct prepare *p;
	const struct spec_process *process;
	uint64_t status;
	const char *cwd;
	char text[TEXT_MAX_BYTES];
	size_t text_len;
	const char *const *next; /* what a program goes on to, NULL without */
	struct starter by;	 /* and who would have executed that */
	/* Set on the way, to what is not known: what is looked up by it is in doubt. */
	bool path_changed, libraries_changed, cwd_changed;
	bool several; /* more than one thing would explain the status: then none is named */
};

/* Causes that make execve() of a child fail with ENOEXEC or EACCES: shells answer 126, or 2 after
 * reading it as a script. */
static bool explains_126(enum cause c)
{
	return (c >= CAUSE_NO_EMULATOR && c <= CAUSE_ABI_HANDLER && c != CAUSE_NOT_PINNED &&
		c != CAUSE_EMULATOR_LOADER) ||
	       (c >= CAUSE_NOT_LINUX && c <= CAUSE_WASM && c != CAUSE_SYSTEM) ||
	       c == CAUSE_LOADER_FOREIGN || c == CAUSE_LOADER_NOT_ELF || c == CAUSE_ZEROS ||
	       c == CAUSE_CUT || c == CAUSE_NOEXEC || c == CAUSE_LOADER_NOEXEC;
}

/* Causes that make it fail with ENOENT, or the emulator with "Could not open". */
static bool explains_127(enum cause c)
{
	return c == CAUSE_NOT_PINNED || c == CAUSE_EMULATOR_LOADER || c == CAUSE_ABI_LOADER ||
	       c == CAUSE_LOADER_MISSING || c == CAUSE_LOADER_OTHER || c == CAUSE_CRLF ||
	       c == CAUSE_INTERPRETER_MISSING || c == CAUSE_SYSTEM;
}

/* Causes that whoever starts nothing but this program fails of, with EACCES as well. */
static bool explains_wrapped(enum cause c)
{
	return explains_126(c) || explains_127(c) || (c >= CAUSE_NO_X_BIT && c <= CAUSE_SPECIAL);
}

/* The program is of another architecture, which no hook can change. */
static bool is_foreign(enum cause c)
{
	return c >= CAUSE_NO_EMULATOR && c <= CAUSE_ABI_HANDLER;
}

static bool explains(const struct look *l, const struct facts *f, const struct plan *plan,
		     const struct starter *by)
{
	uint64_t status = l->status;
	enum cause c = plan->cause;

	if (plan->verdict != VERDICT_REFUSE || (l->p->spec.hooks.change_files && !is_foreign(c)))
		return false;
	if (by->wrapper && wrapper_fails_with(by->wrapper, status))
		return explains_wrapped(c);
	/* bash reads it as a script, sees that it is none, and forgets why it ends. */
	if (by->stops && status == 1)
		return explains_126(c) && c != CAUSE_NOEXEC && c != CAUSE_LOADER_NOEXEC;
	if (status == 2 || status == 126)
		return explains_126(c);
	/* glibc's loader refuses the processor with 127, too. */
	if (status == 127)
		return explains_127(c) || c == CAUSE_CPU_EMULATED || c == CAUSE_CPU_MODEL ||
		       c == CAUSE_CPU_PROGRAM;
	/* 255 is qemu's own exit when it finds no loader for its guest. */
	return status == 255 && f->handler &&
	       (explains_127(c) || c == CAUSE_LOADER_FOREIGN || c == CAUSE_LOADER_NOT_ELF ||
		c == CAUSE_PAGE_SIZE);
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

/* What has been said already stays unless this one is about something else. */
static void note(struct look *l, const struct facts *f, const struct plan *plan, enum cause why)
{
	char program[sizeof(l->p->report.program)];

	if (l->p->report.verdict != VERDICT_REFUSE) {
		say(l->p, f, plan, why);
		return;
	}
	diagnosis_program(f, program, sizeof(program));
	l->several = l->several || !str_eq(program, l->p->report.program);
}

/* What the process became when it executed @args. */
static struct spec_process child_of(const struct look *l, const char *const *args)
{
	struct spec_process child = *l->process;

	child.args = args;
	child.cwd = l->cwd;
	return child;
}

static int judge(struct look *l, const char *const *args, struct facts *f, struct plan *plan,
		 struct err *err)
{
	const struct spec_process child = child_of(l, args);

	if (check_gather(l->p, &child, FOR_EXEC, f, err) < 0)
		return -1;
	plan_make(f, plan);
	return 0;
}

static struct inspect inspect_of(struct look *l, const struct spec_process *child)
{
	return (struct inspect){
		.view = &l->p->view,
		.process = child,
		.emulators = &l->p->emulators,
		.arena = &l->p->arena,
	};
}

/* A kernel of larger pages than most programs were ever tried with. */
static bool is_crash_of_allocator(const struct look *l)
{
	return l->p->host.page_size > 4096 &&
	       (l->status == 128 + SIGTRAP || l->status == 128 + SIGABRT ||
		l->status == 128 + SIGSEGV);
}

/* A program that runs, but for which there is no memory. */
static int judge_allocator(struct look *l, const char *const *args, struct facts *f,
			   struct plan *plan, struct err *err)
{
	const struct spec_process child = child_of(l, args);
	struct inspect in = inspect_of(l, &child);

	if (!is_crash_of_allocator(l) || plan->verdict != VERDICT_NATIVE || f->handler ||
	    l->p->spec.hooks.change_files || l->libraries_changed)
		return 0;
	if (libraries_allocator(&in, f, err) < 0)
		return -1;
	if (f->allocator)
		note(l, f, plan, CAUSE_ALLOCATOR);
	return 0;
}

/* A program that runs, but whose shared libraries are not all there, or cannot be loaded. */
static int judge_libraries(struct look *l, const char *const *args, struct facts *f,
			   struct plan *plan, struct err *err)
{
	const struct spec_process child = child_of(l, args);
	struct inspect in = inspect_of(l, &child);

	if (l->status != 127 || plan->verdict == VERDICT_REFUSE || l->p->spec.hooks.change_files ||
	    l->libraries_changed)
		return 0;
	if (libraries_check(&in, f, err) < 0)
		return -1;
	if (f->library && f->library_page && f->handler)
		return 0; /* what an emulator maps is its affair */
	if (f->library)
		note(l, f, plan, f->library_page ? CAUSE_LIBRARY_PAGES : CAUSE_LIBRARY);
	return 0;
}

/* A name that may lead to another file than the one we would find. */
static bool is_doubtful(const struct look *l, const char *name)
{
	return strchr(name, '/') ? *name != '/' && l->cwd_changed : l->path_changed;
}

/* One candidate that a shell text names, or that env looks for. */
static int suspect(struct look *l, const char *name, const char *wrapper, struct err *err)
{
	const char *const args[] = { name, NULL };
	struct starter by = { .wrapper = wrapper };
	struct facts f;
	struct plan plan;

	if (is_doubtful(l, name))
		return 0;
	if (judge(l, args, &f, &plan, err) < 0)
		return -1;
	if (explains(l, &f, &plan, &by))
		note(l, &f, &plan, plan.cause);
	return judge_allocator(l, args, &f, &plan, err);
}

/* `cd DIR` in a shell text: what follows is looked up from there. */
static int change_directory(struct look *l, const char *dir, struct err *err)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;

	view_find(&l->p->view, l->cwd, dir, &found);
	if (found.kind != FOUND_DIRECTORY)
		return 0;
	l->cwd = arena_strdup(&l->p->arena, found.path[0] ? found.path : "/");
	return l->cwd ? 0 : err_set(err, ERR_NOMEM, "no memory for a path");
}

static int suspects(struct look *l, struct err *err)
{
	const char *wrapper = NULL; /* what `exec` made of the shell: its status is the process's */
	bool cd = false, exec = false;
	struct shell_words w;

	shell_words_init(&w, l->text, l->text_len);
	for (unsigned int n = 0; n < SUSPECTS_MAX && shell_words_next(&w);) {
		n += w.command;
		if (!w.sticky)
			wrapper = NULL;
		if (w.command && suspect(l, w.word, wrapper, err) < 0)
			return -1;
		if (!w.command && cd && change_directory(l, w.word, err) < 0)
			return -1;
		if (w.command && exec)
			wrapper = wrapper_name(w.word);
		cd = w.command && str_eq(w.word, "cd");
		exec = w.command && str_eq(w.word, "exec");
	}
	return 0;
}

static void read_script(struct look *l, const char *path)
{
	CLEANUP_FOUND struct found found = FOUND_INIT;
	ssize_t n;

	l->text_len = 0;
	view_find(&l->p->view, l->cwd, path, &found);
	if (found.kind != FOUND_FILE)
		return;
	n = pread(found.fd, l->text, sizeof(l->text), 0);
	l->text_len = n > 0 ? (size_t)n : 0;
}

static void take_text(struct look *l, const char *text)
{
	l->text_len = strnlen(text, sizeof(l->text));
	memcpy(l->text, text, l->text_len);
}

/* A shell ran this text, with @rest as its "$@"; @bash: it is one, @stops: its options say -e. */
static int follow_text(struct look *l, const char *const *rest, bool bash, bool stops,
		       struct err *err)
{
	const char *wrapper;

	l->path_changed = l->path_changed || wrapper_sets(l->text, l->text_len, "PATH");
	l->libraries_changed =
		l->libraries_changed || wrapper_sets(l->text, l->text_len, "LD_LIBRARY_PATH");
	if (wrapper_passes_on(l->text, l->text_len, &wrapper) && rest[0]) {
		l->next = rest;
		l->by.wrapper = wrapper;
		l->by.stops = bash && (stops || wrapper_stops(l->text, l->text_len));
	}
	return suspects(l, err);
}

/* Whatever its name is: where a link leads is seen. */
static bool is_bash(const struct program_file *shell)
{
	return shell->where && str_ends(shell->where, "/bash");
}

/* "#!/usr/bin/env [-S] NAME ...": the interpreter that env looks for. */
static int follow_env(struct look *l, const char *argument, bool *ret_shell, bool *ret_bash,
		      struct err *err)
{
	const char *name = str_after(argument, "-S");
	char *copy;
	size_t n;

	name = name ? name : argument;
	name += strspn(name, " \t");
	n = strcspn(name, " \t");
	if (!n || *name == '-' || memchr(name, '=', n))
		return 0;
	copy = arena_strdup(&l->p->arena, name);
	if (!copy)
		return err_set(err, ERR_NOMEM, "no memory for a name");
	copy[n] = '\0';
	*ret_shell = str_ends(copy, "sh");
	*ret_bash = str_eq(copy, "bash");
	return suspect(l, copy, "env", err);
}

/* A script: what its interpreter has to find, and if that is a shell, what the text names. */
static int follow_script(struct look *l, const char *const *args, const struct facts *f,
			 struct err *err)
{
	const char *last = facts_last(f)->path;
	const char *argument = f->chain[f->n_chain - 2].image.script.argument;
	bool shell = str_ends(last, "sh"), bash = is_bash(facts_last(f));

	if (str_ends(last, "/env") && follow_env(l, argument, &shell, &bash, err) < 0)
		return -1;
	if (!shell)
		return 0;
	read_script(l, f->chain[0].path);
	return follow_text(l, args + 1, bash, wrapper_stops_by(argument), err);
}

/* A shell with a text or the name of a script in its arguments. */
static int follow_shell(struct look *l, const char *const *args, const struct facts *f,
			struct err *err)
{
	size_t rest, at = wrapper_shell_script(args);
	const char *text = wrapper_shell_text(args, &rest);
	bool stops = false;

	if (!text && !at)
		return 0;
	if (text) {
		take_text(l, text);
	} else {
		read_script(l, args[at]);
		rest = at + 1;
	}
	for (size_t i = 1; args[i] && args[i][0] == '-'; i++)
		stops = stops || wrapper_stops_by(args[i]);
	return follow_text(l, args + rest, is_bash(facts_last(f)), stops, err);
}

/* What the arguments of env, up to the command at @end, change for it. */
static void note_changes(struct look *l, const char *const *args, size_t end)
{
	for (size_t i = 1; i < end; i++) {
		l->path_changed = l->path_changed || str_after(args[i], "PATH=");
		l->libraries_changed =
			l->libraries_changed || str_after(args[i], "LD_LIBRARY_PATH=");
		l->cwd_changed =
			l->cwd_changed || str_after(args[i], "-C") || str_after(args[i], "--chdir");
	}
}

/* What a program that could be executed goes on to. */
static int follow_inside(struct look *l, const char *const *args, const struct facts *f,
			 struct err *err)
{
	size_t at = wrapper_command(args);

	if (f->n_chain > 1)
		return follow_script(l, args, f, err);
	if (!at)
		return follow_shell(l, args, f, err);
	note_changes(l, args, at);
	l->next = args + at;
	l->by.wrapper = args[0];
	return 0;
}

/* One program, as l->by would have executed it, or the first as the engine did. */
static int step(struct look *l, const char *const *args, bool first, struct err *err)
{
	struct starter by = l->by;
	struct facts f;
	struct plan plan;

	l->next = NULL;
	l->by = (struct starter){ NULL, false };
	if (is_doubtful(l, args[0]))
		return 0;
	if (judge(l, args, &f, &plan, err) < 0)
		return -1;
	if (!first && explains(l, &f, &plan, &by))
		note(l, &f, &plan, plan.cause);
	if (judge_libraries(l, args, &f, &plan, err) < 0 ||
	    judge_allocator(l, args, &f, &plan, err) < 0)
		return -1;
	return plan.verdict == VERDICT_REFUSE ? 0 : follow_inside(l, args, &f, err);
}

static int follow(struct look *l, const char *const *args, struct err *err)
{
	for (unsigned int n = 0; args && n <= DEPTH_MAX; n++) {
		if (step(l, args, !n, err) < 0)
			return -1;
		args = l->next;
	}
	return 0;
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
	else if (l->status == 128 + SIGSYS && emulated && f->seccomp.blocked &&
		 !facts_other_emulator(f))
		say(l->p, f, plan, CAUSE_SECCOMP);
	else if ((l->status == 128 + SIGSEGV || l->status == 128 + SIGSYS) && !emulated &&
		 program->image.kind == IMAGE_ELF && program->image.system)
		say(l->p, f, plan, CAUSE_WARN_SYSTEM);
}

/*
 * Hooks kept a verdict from being spoken before the start. Afterwards, what is on disk and cannot
 * be executed explains that the engine could not: runc ends with 255 then, crun with 1.
 */
static void judge_unspoken(struct look *l, const struct facts *f, const struct plan *plan)
{
	bool engines = l->status == 1 || l->status == 255;

	if (l->p->spec.hooks.change_files && engines && plan->verdict == VERDICT_REFUSE &&
	    is_foreign(plan->cause))
		say(l->p, f, plan, plan->cause);
}

int after_explain(struct prepare *p, const struct spec_process *process, struct err *err)
{
	struct look l = {
		.p = p,
		.process = process,
		.status = p->request.exit_status,
		.cwd = process->cwd,
	};
	struct facts f;
	struct plan plan;

	p->report.verdict = VERDICT_NATIVE;
	if (!process->args || !process->args[0])
		return 0;
	if (judge(&l, process->args, &f, &plan, err) < 0)
		return -1;
	if (l.status > 128 && l.status != 255) {
		judge_signal(&l, &f, &plan);
		if (!is_crash_of_allocator(&l))
			return 0;
	}
	judge_unspoken(&l, &f, &plan);
	if (p->report.verdict == VERDICT_REFUSE || !l.status)
		return 0;
	if (follow(&l, process->args, err) < 0)
		return -1;
	if (l.several)
		p->report.verdict = VERDICT_NATIVE;
	return 0;
}
