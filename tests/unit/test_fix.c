/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/oci/json.h"
#include "runtime/plan/diagnosis.h"

/*
 * Every cause, in front of every kind of file and handler: whatever the line tells a person to type
 * is parsed. No operand may be missing, cut or in need of quotes, and no command may be one that
 * the node or the image cannot have.
 */

/* --- files ----------------------------------------------------------------------------------- */

static const struct row {
	const char *path, *where, *volume;
	const char *arch; /* of an ELF program, NULL for others; "?" for a machine of no table */
	enum image_kind kind;
	const char *head;
} files[] = {
	{ "/bin/app", "/bin/app", NULL, "arm64", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", NULL, "amd64", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", NULL, "s390", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", NULL, "x32", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", NULL, "386", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", NULL, "mipsn32", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", NULL, "hexagon", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", "/opt/vol", "arm64", IMAGE_ELF, NULL },
	{ "/bin/app", "/bin/app", NULL, "?", IMAGE_ELF, NULL },
	{ "app", "/srv/my app/it's", NULL, "arm64", IMAGE_ELF, NULL },
	{ "./-x", NULL, NULL, NULL, IMAGE_TEXT, "echo\n" },
	{ "/srv/x\"y", "/srv/x\"y", NULL, NULL, IMAGE_TEXT, "echo\n" },
	{ "/srv/a$(b)", "/srv/a$(b)", NULL, NULL, IMAGE_TEXT, "echo\n" },
	{ "/app/main.py", "/app/main.py", NULL, NULL, IMAGE_TEXT, "x = 1\n" },
	{ "/app/index.js", "/app/index.js", "/app", NULL, IMAGE_TEXT, "x\n" },
	{ "/app/run", "/app/run", NULL, NULL, IMAGE_TEXT, "import sys\n" },
	{ "/app/run.sh", "/app/run.sh", NULL, NULL, IMAGE_NAMELESS, "#!\n" },
	{ "/app/run", "/app/run", NULL, NULL, IMAGE_LONG, "#!/\n" },
	{ "/app/run", "/app/run", NULL, NULL, IMAGE_SCRIPT, "#!/bin/x\n" },
	{ "/app/run", "/app/run", NULL, NULL, IMAGE_HTML, "<html>" },
	{ "/app/run", "/app/run", NULL, NULL, IMAGE_LFS, "version" },
	{ "/app/run", "/app/run", NULL, NULL, IMAGE_APE, "MZqFpD" },
	{ "/app/run.dll", "/app/run.dll", NULL, NULL, IMAGE_ASSEMBLY, "MZ" },
	{ "/app/run.exe", "/app/run.exe", NULL, NULL, IMAGE_ASSEMBLY, "MZ" },
	{ "/app/run.jar", "/app/run.jar", NULL, NULL, IMAGE_ZIP, "PK\3\4" },
	{ "/app/Main.class", "/app/Main.class", NULL, NULL, IMAGE_JAVA_CLASS, "" },
	{ "/app/run.pyc", "/app/run.pyc", NULL, NULL, IMAGE_DATA, "\x01" },
	{ "/app/run", NULL, NULL, NULL, IMAGE_EMPTY, "" },
};

/* A path that would not fit a line. */
static char long_path[1500];

static struct program_file file_of(const struct row *r, bool with_long_path)
{
	struct program_file f = {
		.path = with_long_path ? long_path : r->path,
		.where = with_long_path ? long_path : r->where,
		.volume = r->volume,
		.found = FOUND_FILE,
		.mode = S_IFREG | 0644,
	};

	f.image.kind = r->kind;
	if (r->arch && *r->arch != '?')
		arch_header(arch_by_name(r->arch, strlen(r->arch)), f.image.head);
	else if (r->arch)
		f.image.ident = (struct ident){
			.cls = ELFCLASS64, .order = ELFDATA2LSB, .type = ET_EXEC, .machine = 0x7777
		};
	else
		(void)str_copy((char *)f.image.head, sizeof(f.image.head), r->head);
	if (r->arch && *r->arch != '?')
		assert_int_equal(ident_read(f.image.head, ARCH_HEADER, &f.image.ident), IDENT_ELF);
	f.image.head_len = r->arch ? ARCH_HEADER : strlen(r->head);
	return f;
}

/* --- handlers -------------------------------------------------------------------------------- */

static const struct {
	const char *name, *interpreter;
	uint32_t flags;
} handlers[] = {
	{ "qemu-aarch64", "/usr/bin/qemu-aarch64-static", BINFMT_F },
	{ "qemu-aarch64", "/usr/bin/qemu-aarch64", 0 },
	{ "python3.11", "/usr/bin/python3.11", 0 },
	{ "jar", "/usr/bin/jexec", 0 },
	{ "cli", "/usr/bin/cli", BINFMT_F },
	{ "rosetta", "/mnt/lima-rosetta/rosetta", BINFMT_F | BINFMT_O | BINFMT_C },
	{ "box64", "/usr/local/bin/box64", 0 },
	{ "crossarch-amd64", "/usr/local/bin/box64", BINFMT_F },
	{ "APE", "/usr/bin/ape", BINFMT_F | BINFMT_P },
	{ "a name; with $(blanks)", "/opt/my emulators/qemu-x", BINFMT_F },
	{ "a-name-that-goes-on-and-on-until-nobody-could-read-it-any-more-in-a-single-line-of-text-"
	  "and-then-some-more-of-it",
	  "/x", 0 },
};

static struct binfmt_entry handler_of(size_t i)
{
	struct binfmt_entry e = { .kind = BINFMT_MAGIC, .enabled = true, .len = 20 };

	(void)str_copy(e.name, sizeof(e.name), handlers[i].name);
	(void)str_copy(e.interpreter, sizeof(e.interpreter), handlers[i].interpreter);
	e.flags = handlers[i].flags;
	memset(e.mask, 0xff, e.len);
	return e;
}

/* --- what can be typed ----------------------------------------------------------------------- */

static bool plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("/._+-@:,=~", s[i]))
			return false;
	return n > 0;
}

static void check_install(const char *line, const char *rest)
{
	static const char *const options[] = { "--credentials ", "--force ", "--emulator qemu " };
	const struct arch *a;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *after = str_after(rest, options[i]);

		rest = after ? after : rest;
	}
	a = arch_by_name(rest, strlen(rest));
	if (!a || !a->qemu)
		fail_msg("nothing to install: %s", line);
}

static void check_command(const char *line, const char *command)
{
	static const char *const whole[] = {
		"mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc", "git lfs pull",
		"#!/bin/sh", "#!/usr/bin/env python3", "#!/usr/bin/env node"
	};
	const char *rest;

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (str_eq(command, whole[i]))
			return;
	if ((rest = str_after(command, "crossarch emulators remove "))) {
		assert_non_null(arch_by_name(rest, strlen(rest)));
	} else if ((rest = str_after(command, "crossarch emulators install "))) {
		check_install(line, rest);
	} else if ((rest = str_after(command, "-Wl,-z,max-page-size="))) {
		assert_true(atoi(rest) > 0);
	} else if (str_after(command, "echo ")) {
		rest = strstr(command, " > /proc/sys/fs/binfmt_misc/");
		if (!rest || !plain(rest + 28, strlen(rest + 28)) ||
		    strspn(command + 5, "-10") != (size_t)(rest - command - 5))
			fail_msg("not a file of binfmt_misc: %s", line);
	} else {
		fail_msg("unknown command \"%s\": %s", command, line);
	}
}

/* `command: [...]`, as it goes into a pod. Returns what is behind it. */
static const char *check_array(const char *line, const char *array)
{
	CLEANUP_JSON json *document = NULL;
	const char *end = strchr(array, ']');
	struct err err;

	if (str_after(array, "[\"java\", ...]"))
		return end;
	if (!end || json_parse(array, (size_t)(end + 1 - array), "command", &document, &err) < 0)
		fail_msg("no JSON: %s", line);
	assert_true(json_object_array_length(document) >= 2);
	for (size_t i = 0; i < json_object_array_length(document); i++)
		assert_true(json_object_get_string_len(json_object_array_get_idx(document, i)) > 0);
	return end + 1;
}

static void check_fix(const char *line, const char *fix)
{
	const char *p = fix;

	while ((p = strpbrk(p, "\"["))) {
		char command[512];
		const char *end;

		if (*p == '[' && p > fix + 9 && memcmp(p - 9, "command: ", 9) == 0) {
			p = check_array(line, p);
			continue;
		}
		if (*p == '[') {
			p++;
			continue;
		}
		end = strchr(p + 1, '"');
		if (!end)
			fail_msg("a command without end: %s", line);
		(void)str_fmt(command, sizeof(command), "%.*s", (int)(end - p - 1), p + 1);
		check_command(line, command);
		p = end + 1;
	}
	p = strstr(fix, "RUN chmod +x ");
	if (p && (p[13] != '/' || !plain(p + 13, strcspn(p + 13, " "))))
		fail_msg("not a path for chmod: %s", line);
}

/* A quote in a name, outside of commands, is the name's. */
static void without_quoted_name(char *line)
{
	char *at;

	while ((at = strstr(line, "x\"y")))
		at[1] = '_';
}

static void check_line(char *line)
{
	static const char *const odd[] = { "  ", " ,", " . ", "()", "\"\"", "linux/ " };
	const char *fix = strstr(line, ". Fix: ");
	size_t n = strlen(line);

	without_quoted_name(line);
	if (!str_after(line, "crossarch[") || !fix || line[n - 1] != '.' || line[n - 2] == ' ' ||
	    n >= DIAGNOSIS_MAX)
		fail_msg("not a whole line: %s", line);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		const char *at = strstr(line, odd[i]);

		if (at)
			fail_msg("\"%s\" in: %s", odd[i], line);
	}
	check_fix(line, fix + 7);
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool mentions(enum cause c, const char *word)
{
	const struct cause_row *row = cause_row(c);

	return strstr(row->what, word) || strstr(row->why, word) || strstr(row->fix, word);
}

static bool about_handler(enum cause c)
{
	return mentions(c, "{handler}") || mentions(c, "{emulator}") || mentions(c, "{byte}") ||
	       mentions(c, "{emulator-label}") || mentions(c, "{near}") ||
	       mentions(c, "{unregister}") || mentions(c, "{enable}");
}

static unsigned int render(const struct facts *f, size_t n_handlers)
{
	unsigned int n = 0;
	char line[DIAGNOSIS_MAX + 1];

	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_N; c++) {
		bool elsewhere = c == CAUSE_CONFIG || cause_is_choice(c);

		for (size_t h = 0; h <= n_handlers && !elsewhere; h++) {
			struct binfmt_entry e = handler_of(h ? h - 1 : 0);
			struct facts facts = *f;
			struct plan p = { .guest = facts_guest(f) };

			if ((!h && about_handler(c)) || (f->n_chain < 2 && mentions(c, "{script}")))
				continue;
			p.handler = h ? &e : NULL;
			facts.rival = &e;
			diagnosis_line(&facts, &p, c, line);
			check_line(line);
			n++;
		}
	}
	return n;
}

static void every_fix_can_be_typed(void **state)
{
	struct host host = { arch_by_name("amd64", 5), HOST_YES, HOST_NO, 2, 4096, false };
	struct binfmt_registry binfmt = { .state = BINFMT_ON };
	struct settings settings;
	unsigned int n = 0;

	(void)state;
	settings_init(&settings);
	settings.wanted = (struct platform){ "linux", "arm64", "" };
	settings.cpus[settings.n_cpus++] = (struct settings_cpu){ "", "cortex-a72" };
	memset(long_path, 'a', sizeof(long_path) - 1);
	for (size_t i = 0; i < sizeof(long_path) - 1; i += 30)
		long_path[i] = '/';
	for (size_t i = 0; i < 2 * ARRAY_SIZE(files); i++) {
		const struct row *r = &files[i / 2];
		struct facts f = { .host = &host, .binfmt = &binfmt, .settings = &settings };

		f.declared = (struct platform){ "linux", "amd64", "v3" };
		f.memory_max = 32u << 20;
		f.emulator_version = (struct version){ 7, 2, 0 };
		f.cpu_model = "Nehalem";
		f.seccomp.blocked = "mmap";
		f.chain[0] = file_of(r, false);
		f.chain[1] = file_of(r, i % 2);
		f.n_chain = 1 + i % 2;
		f.chain[0] = f.n_chain == 1 ? file_of(r, i % 4 > 1) : f.chain[0];
		f.loader = file_of(&files[i % 7], i % 3 == 1);
		f.other_loader = "/lib/ld-musl-x86_64.so.1";
		f.emulator = file_of(&files[i % 9], false);
		f.emulator_loader = file_of(&files[(i + 3) % 9], false);
		n += render(&f, ARRAY_SIZE(handlers));
	}
	print_message("%u lines\n", n);
	assert_true(n > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_fix_can_be_typed) };

	return cmocka_run_group_tests_name("fix", tests, NULL, NULL);
}
