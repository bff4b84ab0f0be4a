/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/arch/table.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"

/*
 * crossarch-prepare after the end of a process, as the shim runs it: which ends are explained, and
 * that all others are not. In namespaces of its own, with a binfmt_misc that has no handlers.
 */
#define ROOT "/mnt/b/rootfs"

static char program[PATH_MAX];
static int bundle = -1;

/* --- a root file system ---------------------------------------------------------------------- */

static void put_at(const char *name, const void *bytes, size_t n, mode_t mode)
{
	char path[PATH_MAX];
	int fd;

	(void)str_fmt(path, sizeof(path), ROOT "/%s", name);
	for (char *p = strchr(path + strlen(ROOT) + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put_text(const char *name, const char *text)
{
	put_at(name, text, strlen(text), 0755);
}

static void put_program(const char *name, const char *arch)
{
	const struct arch *a = arch_by_name(arch, strlen(arch));
	uint8_t file[256] = { 0 };

	arch_header(a, file);
	file[64 + (a->order == ELFDATA2MSB ? 3 : 0)] = PT_LOAD;
	file[104 + (a->order == ELFDATA2MSB ? 7 : 0)] = 1; /* p_memsz */
	put_at(name, file, sizeof(file), 0755);
}

/* A program of this node: with a loader, and one library (or NULL) that it needs. */
static void put_dynamic(const char *name, const char *loader, const char *needed,
			const char *runpath)
{
	static const uint64_t strings_at = 0x300;
	const struct arch *a = arch_by_name("amd64", 5);
	Elf64_Phdr p[3] = { { .p_type = PT_LOAD, .p_filesz = 0x400, .p_memsz = 0x400 },
			    { .p_type = PT_INTERP, .p_offset = 0x200 },
			    { .p_type = PT_DYNAMIC, .p_offset = 0x280 } };
	Elf64_Dyn d[4] = { { .d_tag = DT_STRTAB, .d_un.d_val = strings_at },
			   { .d_tag = needed ? DT_NEEDED : DT_NULL, .d_un.d_val = 1 },
			   { .d_tag = runpath ? DT_RUNPATH : DT_NULL, .d_un.d_val = 64 } };
	uint8_t file[0x400] = { 0 };

	arch_header(a, file);
	file[56] = 3; /* e_phnum */
	p[1].p_filesz = p[1].p_memsz = strlen(loader) + 1;
	p[2].p_filesz = p[2].p_memsz = sizeof(d);
	memcpy(file + 64, p, sizeof(p));
	memcpy(file + 0x200, loader, strlen(loader));
	memcpy(file + 0x280, d, sizeof(d));
	if (needed)
		memcpy(file + strings_at + 1, needed, strlen(needed));
	if (runpath)
		memcpy(file + strings_at + 64, runpath, strlen(runpath));
	put_at(name, file, sizeof(file), 0755);
}

/* A library that loads with pages of up to @page bytes. */
static void put_skewed(const char *name, uint64_t page)
{
	Elf64_Phdr p = { .p_type = PT_LOAD, .p_vaddr = page, .p_filesz = 0x100, .p_memsz = 0x100 };
	uint8_t file[0x100] = { 0 };

	arch_header(arch_by_name("amd64", 5), file);
	memcpy(file + 64, &p, sizeof(p));
	put_at(name, file, sizeof(file), 0755);
}

static void make_rootfs(void)
{
	static const char *const native[] = { "bin/sh",
					      "bin/bash",
					      "bin/good",
					      "sbin/tini",
					      "usr/bin/dumb-init",
					      "usr/bin/env",
					      "usr/bin/gosu",
					      "usr/bin/setsid",
					      "bin/cat",
					      "init",
					      "bin/qemu-s390x-static",
					      "usr/bin/catatonit",
					      "bin/python3",
					      "lib64/ld-linux-x86-64.so.2" };

	for (size_t i = 0; i < ARRAY_SIZE(native); i++)
		put_program(native[i], "amd64");
	put_program("app", "s390x");
	put_program("opt/app/x", "s390x");
	put_program("usr/bin/node", "s390x");
	put_program("bin/postgres", "s390x");
	put_text("entry.sh", "#!/bin/sh\nset -e\nexec \"$@\"\n");
	put_text("bash.sh", "#!/bin/bash\nset -Eeo pipefail\nexec \"$@\"\n");
	put_text("env-bash.sh", "#!/usr/bin/env bash\nset -e\nexec \"$@\"\n");
	put_text("bash-e.sh", "#!/bin/bash -e\nexec \"$@\"\n");
	put_text("lenient.sh", "#!/bin/bash\nexec \"$@\"\n");
	put_at("no-x", "#!/bin/sh\n", 10, 0644);
	put_text("gosu.sh", "#!/bin/bash\nexec gosu postgres \"$@\"\n");
	put_text("run.sh", "#!/bin/sh\n/app\n");
	put_text("env.sh", "#!/usr/bin/env bash\n/app\n");
	put_text("good.sh", "#!/bin/sh\n# /app\ngood\n");
	put_text("app.js", "#!/usr/bin/env node\n");
	put_text("split.js", "#!/usr/bin/env -S node --flag\n");
	put_text("crlf.sh", "#!/bin/sh\r\n");
	put_text("x.py", "#!/bin/python3\nimport app\n/app\n");
	put_text("data.txt", "just text\n");
	put_dynamic("bin/noloader", "/lib64/none.so", NULL, NULL);
	put_dynamic("bin/needs", "/lib64/ld-linux-x86-64.so.2", "libnone.so.1", NULL);
	put_dynamic("bin/has", "/lib64/ld-linux-x86-64.so.2", "libhere.so.1", NULL);
	put_dynamic("bin/wrong", "/lib64/ld-linux-x86-64.so.2", "libforeign.so.1", NULL);
	put_dynamic("srv/bin/origin", "/lib64/ld-linux-x86-64.so.2", "liborigin.so.1",
		    "$ORIGIN/../lib");
	put_dynamic("srv/bin/indirect", "/lib64/ld-linux-x86-64.so.2", "libdeep.so.1",
		    "$ORIGIN/../lib");
	put_dynamic("usr/lib/libhere.so.1", "/lib64/ld-linux-x86-64.so.2", NULL, NULL);
	put_dynamic("srv/lib/liborigin.so.1", "/lib64/ld-linux-x86-64.so.2", NULL, NULL);
	put_dynamic("srv/lib/libdeep.so.1", "/lib64/ld-linux-x86-64.so.2", "libdeeper.so.1", NULL);
	put_program("usr/lib/libforeign.so.1", "s390x");
	put_dynamic("bin/unfit", "/lib64/ld-linux-x86-64.so.2", "libunfit.so.1", NULL);
	put_skewed("usr/lib/libunfit.so.1", 0x200);
	put_dynamic("bin/fit", "/lib64/ld-linux-x86-64.so.2", "libfit.so.1", NULL);
	put_skewed("usr/lib/libfit.so.1", 0x10000);
}

static bool put(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool enter_namespaces(void)
{
	unsigned int uid = getuid(), gid = getgid();
	char map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	(void)put("/proc/self/setgroups", "deny");
	(void)str_fmt(map, sizeof(map), "0 %u 1", uid);
	if (!put("/proc/self/uid_map", map))
		return false;
	(void)str_fmt(map, sizeof(map), "0 %u 1", gid);
	return put("/proc/self/gid_map", map) && mount("t", "/mnt", "tmpfs", 0, NULL) == 0 &&
	       mount("b", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL) == 0;
}

static int set_up(void **state)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 64);
	struct err err;

	(void)state;
	if (n < 0)
		return -1;
	program[n] = '\0';
	memcpy(strrchr(program, '/'), "/../bin/crossarch-prepare", 26);
	if (access(program, X_OK) < 0 || !enter_namespaces())
		return 0;
	if (dir_make(ROOT, 0755, &err) < 0)
		return -1;
	make_rootfs();
	bundle = open("/mnt/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

/* --- one end --------------------------------------------------------------------------------- */

/* The code of the line about a process of these words (' separated by "|") that ended so; "" none.
 */
static const char *explained(const char *words, unsigned int status, const char *more)
{
	static char code[32];
	static struct report report;
	char *const argv[] = { program, (char *)(uintptr_t) "after", NULL };
	char *const envp[] = { (char *)(uintptr_t) "PATH=/bin:/usr/bin", NULL };
	struct prepare_request r = { .id = "c", .exit_status = status };
	struct spawn_fd fds[3] = { { -1, 3 }, { bundle, 4 }, { -1, 5 } };
	struct spawn s = { .path = program, .argv = argv, .envp = envp, .fds = fds, .n_fds = 3 };
	CLEANUP_BUF struct buf text = BUF_INIT(1u << 20);
	char config[4096];
	size_t n;
	ssize_t got;
	struct err err;
	int in, ended;
	pid_t pid;

	n = (size_t)snprintf(config, sizeof(config),
			     "{\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\",\"env\":"
			     "[\"PATH=/usr/bin:/bin:/sbin\"],\"args\":[\"");
	for (const char *p = words; *p; p++)
		n += (size_t)snprintf(config + n, sizeof(config) - n,
				      *p == '|'	  ? "\",\""
				      : *p == '"' ? "\\\""
						  : "%c",
				      *p);
	(void)snprintf(config + n, sizeof(config) - n, "\"]}%s}", more);
	unlinkat(bundle, "config.json", 0);
	assert_int_equal(file_replace(bundle, "config.json", 0644, config, strlen(config), &err),
			 0);
	assert_int_equal(request_encode(&r, &text, &err), 0);
	fds[2].from = memfd_create("request", MFD_CLOEXEC);
	assert_int_equal(fd_write_all(fds[2].from, text.data, text.len), 0);
	assert_int_equal(fd_pipe(&in, &fds[0].from, 0, &err), 0);
	assert_int_equal(spawn(&s, &pid, &err), 0);
	close(fds[0].from);
	close(fds[2].from);
	for (n = 0; (got = read(in, (char *)&report + n, sizeof(report) - n)) > 0;)
		n += (size_t)got;
	close(in);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(ended, 0);
	assert_int_equal(report_decode(&report, n, &report, &err), 0);
	if (getenv("AFTER_VERBOSE"))
		print_message("%s, %u: %s\n", words, status, report.line);
	if (report.verdict == VERDICT_NONE)
		fail_msg("%s: %s", words, report.err.text);
	(void)str_copy(code, sizeof(code), report.verdict == VERDICT_REFUSE ? report.code : "");
	return code;
}

#define NEEDS_PROGRAM           \
	do {                    \
		if (bundle < 0) \
			skip(); \
	} while (0)

static void explained_ends(void **state)
{
	static const struct {
		const char *words;
		unsigned int status;
		const char *code;
	} rows[] = {
		{ "sh|-c|/app", 126, "no-emulator" },
		{ "sh|-ec|cd /opt/app && ./x --flag", 126, "no-emulator" },
		{ "sh|-c|FOO=bar exec /app -x", 2, "no-emulator" },
		{ "sh|-c|if /app; then good; fi", 126, "no-emulator" },
		{ "sh|-c|postgres -D /data", 126, "no-emulator" },
		{ "sh|-c|exec gosu root /app", 126, "no-emulator" },
		{ "sh|-c|exec gosu root /app", 1, "no-emulator" },
		{ "sh|-c|exec dumb-init -- /app", 2, "no-emulator" },
		{ "sh|-c|/crlf.sh", 127, "script-crlf" },
		{ "sh|-c|noloader", 127, "loader-missing" },
		{ "sh|-c|exec \"$@\"|--|/app", 126, "no-emulator" },
		{ "/run.sh", 126, "no-emulator" },
		{ "/env.sh", 126, "no-emulator" },
		{ "/entry.sh|postgres", 126, "no-emulator" },
		{ "/entry.sh|/app|-x", 2, "no-emulator" },
		{ "/gosu.sh|postgres", 1, "no-emulator" },
		{ "/bash.sh|postgres", 1, "no-emulator" },
		{ "/bash.sh|/app|-x", 126, "no-emulator" },
		{ "/env-bash.sh|postgres", 1, "no-emulator" },
		{ "/bash-e.sh|postgres", 1, "no-emulator" },
		{ "bash|-ec|exec \"$@\"|--|/app", 1, "no-emulator" },
		{ "bash|-e|/lenient.sh|/app", 1, "no-emulator" },
		{ "sh|/entry.sh|/app", 126, "no-emulator" },
		{ "tini|--|/bash.sh|postgres", 1, "no-emulator" },
		{ "tini|--|/no-x", 126, "not-executable" },
		{ "gosu|root|/opt", 1, "not-executable" },
		{ "setsid|/app", 126, "no-emulator" },
		{ "/gosu.sh|postgres", 126, "no-emulator" },
		{ "/sbin/tini|--|/app", 1, "no-emulator" },
		{ "tini|-g|--|/app|-x", 127, "no-emulator" },
		{ "tini|--|/entry.sh|postgres", 126, "no-emulator" },
		{ "tini|--|sh|-c|/app", 126, "no-emulator" },
		{ "dumb-init|/app", 2, "no-emulator" },
		{ "dumb-init|--|/run.sh", 126, "no-emulator" },
		{ "catatonit|--|/app", 1, "no-emulator" },
		{ "gosu|root|/app", 1, "no-emulator" },
		{ "tini|--|gosu|root|/app", 1, "no-emulator" },
		{ "env|A=b|/app", 126, "no-emulator" },
		{ "/init|/app", 127, "no-emulator" },
		{ "/app.js", 126, "no-emulator" },
		{ "/split.js", 126, "no-emulator" },
		{ "/app.js", 127, "no-emulator" },
		{ "tini|--|/app.js", 126, "no-emulator" },
		{ "tini|--|noloader", 127, "loader-missing" },
		{ "/bin/needs", 127, "library-missing" },
		{ "/bin/wrong", 127, "library-missing" },
		{ "/srv/bin/indirect", 127, "library-missing" },
		{ "/bin/unfit", 127, "page-size" },
		{ "/entry.sh|unfit", 127, "page-size" },
		{ "tini|--|needs", 127, "library-missing" },
		{ "/entry.sh|needs", 127, "library-missing" },
	};

	(void)state;
	NEEDS_PROGRAM;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *code = explained(rows[i].words, rows[i].status, "");

		if (!str_eq(code, rows[i].code))
			fail_msg("%s, %u: \"%s\", not \"%s\"", rows[i].words, rows[i].status, code,
				 rows[i].code);
	}
}

/* Early deaths of any other cause, each with every status that could mean something: no line. */
static void silence(void **state)
{
	static const char *const all[] = {
		"good",
		"/bin/good|/app",
		"cat|/app",
		"qemu-s390x-static|/app",
		"sh|-c|good",
		"sh|-c|exit 127",
		"sh|-c|no-such-program",
		"sh|-c|cat /app",
		"sh|-c|echo /app; good",
		"sh|-c|# /app",
		"sh|-c|FOO=/app good",
		"sh|-c|good --with /app",
		"sh|-c|cd /nowhere && good",
		"sh|-c|./x",
		"sh|-c|$APP /app",
		"/good.sh",
		"/entry.sh",
		"/entry.sh|good",
		"/entry.sh|cat|/app",
		"tini|--|good",
		"tini|--|good|/app",
		"dumb-init|good",
		"tini|--|/entry.sh|good",
		"gosu|root|good",
		"env|A=/app|good",
		"/init|good",
		"/x.py",
		"python3|/app",
		"tini|--|no-such",
		"/bin/has",
		"/bin/fit",
		"/srv/bin/origin",
		"sh|-c|needs",
		"/entry.sh|good|/app",
		"/bash.sh|good",
		"/bash.sh|cat|/app",
		"/bash.sh|no-such",
		"bash|-e|/lenient.sh|good",
		"bash|-ec|good|/app",
		"sh|-c|/no-x",
		"/gosu.sh|good",
		"setsid|good|/app",
	};
	static const unsigned int statuses[] = { 1, 2, 111, 126, 127, 132, 139, 159, 255 };
	unsigned int n = 0;

	(void)state;
	NEEDS_PROGRAM;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t s = 0; s < ARRAY_SIZE(statuses); s++, n++)
			if (*explained(all[i], statuses[s], ""))
				fail_msg("%s, %u: %s", all[i], statuses[s],
					 explained(all[i], statuses[s], ""));
	print_message("%u ends without a line\n", n);
	assert_true(n >= 100);
}

/* Two programs could have been it, or the status is not one of theirs. */
static void doubt(void **state)
{
	(void)state;
	NEEDS_PROGRAM;
	assert_string_equal(explained("sh|-c|/app; postgres", 126, ""), "");
	assert_string_equal(explained("sh|-c|/app", 0, ""), "");
	assert_string_equal(explained("sh|-c|/app", 1, ""), "");
	assert_string_equal(explained("sh|-c|/app", 127, ""), "");
	assert_string_equal(explained("tini|--|/app", 3, ""), "");
	assert_string_equal(explained("gosu|root|/app", 127, ""), "");
	/* A shell that goes on after errors, or is no bash, does not end with 1 for that. */
	assert_string_equal(explained("/lenient.sh|/app", 1, ""), "");
	assert_string_equal(explained("/entry.sh|/app", 1, ""), "");
	assert_string_equal(explained("bash|-ec|/app", 1, ""), "");
	assert_string_equal(explained("/bash.sh|noloader", 1, ""), "");
	/* Without exec the shell goes on after it. */
	assert_string_equal(explained("sh|-c|gosu root /app", 1, ""), "");
	/* The user of that name is no program. */
	assert_string_equal(explained("sh|-c|exec gosu postgres good", 1, ""), "");
}

/* What was set on the way may lead to another file. */
static void changed_on_the_way(void **state)
{
	(void)state;
	NEEDS_PROGRAM;
	assert_string_equal(explained("env|A=b|postgres", 126, ""), "no-emulator");
	assert_string_equal(explained("env|PATH=/x|postgres", 126, ""), "");
	assert_string_equal(explained("env|PATH=/x|/app", 126, ""), "no-emulator");
	assert_string_equal(explained("env|-C|/opt/app|./x", 126, ""), "");
	assert_string_equal(explained("sh|-c|PATH=/x; postgres", 126, ""), "");
	assert_string_equal(explained("sh|-c|PATH=/x exec \"$@\"|--|postgres", 126, ""), "");
	assert_string_equal(explained("sh|-c|PATH=/x exec \"$@\"|--|/app", 126, ""), "no-emulator");
	assert_string_equal(explained("env|/bin/needs", 127, ""), "library-missing");
	assert_string_equal(explained("env|LD_LIBRARY_PATH=/x|/bin/needs", 127, ""), "");
	assert_string_equal(
		explained("sh|-c|export LD_LIBRARY_PATH=/x; exec \"$@\"|--|/bin/needs", 127, ""),
		"");
}

/* What hooks kept from being said before the start; and what they may have changed is not said. */
static void hooks(void **state)
{
	static const char hooked[] = ",\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/x\"}]}";

	(void)state;
	NEEDS_PROGRAM;
	assert_string_equal(explained("/app", 255, hooked), "no-emulator");
	assert_string_equal(explained("/app", 1, hooked), "no-emulator");
	assert_string_equal(explained("/app", 3, hooked), "");
	assert_string_equal(explained("sh|-c|/app", 126, hooked), "no-emulator");
	assert_string_equal(explained("sh|-c|noloader", 127, hooked), "");
	assert_string_equal(explained("needs", 127, hooked), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(explained_ends),
					    cmocka_unit_test(silence), cmocka_unit_test(doubt),
					    cmocka_unit_test(changed_on_the_way),
					    cmocka_unit_test(hooks) };

	return cmocka_run_group_tests_name("after", tests, set_up, NULL);
}
