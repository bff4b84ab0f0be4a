/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
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
#include <time.h>
#include <unistd.h>

#include "runtime/arch/table.h"
#include "runtime/base/fd.h"
#include "runtime/base/spawn.h"
#include "runtime/base/str.h"
#include "runtime/prepare/report.h"
#include "runtime/prepare/request.h"
#include "shim/loop/loop.h"

/*
 * The program itself, run as the shim runs it, on bundles made of synthetic programs: an ELF header
 * is all it looks at. The group runs in user and mount namespaces of its own, where it registers
 * handlers in a binfmt_misc nobody else sees.
 */
#define DIR_BASE "/mnt/prepare"

static char program[PATH_MAX];
static bool private_binfmt;
static uint64_t first_report_ms; /* after the last start of prepare */
static int bundle = -1;

static void put_at(const char *path, const void *bytes, size_t n, mode_t mode)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
}

static bool put(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static void put_program(const char *path, const char *arch)
{
	const struct arch *a = arch_by_name(arch, strlen(arch));
	uint8_t file[256] = { 0 };

	arch_header(a, file);
	file[64 + (a->order == ELFDATA2MSB ? 3 : 0)] = PT_LOAD;
	file[104 + (a->order == ELFDATA2MSB ? 7 : 0)] = 1; /* p_memsz */
	put_at(path, file, sizeof(file), 0755);
}

/* Magic and mask for the first 20 bytes of a 64-bit program of @arch, registered under @name. */
static bool handle(const char *name, const char *arch, const char *interpreter, const char *flags)
{
	char text[1024];
	uint8_t head[ARCH_HEADER];
	size_t n;

	arch_header(arch_by_name(arch, strlen(arch)), head);
	n = (size_t)snprintf(text, sizeof(text), ":%s:M::", name);
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(text + n, 8, "\\x%02x", head[i]);
	(void)snprintf(text + n, sizeof(text) - n, "::%s:%s", interpreter, flags);
	return put("/proc/sys/fs/binfmt_misc/register", text);
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
	return put("/proc/self/gid_map", map) && mount("t", "/mnt", "tmpfs", 0, NULL) == 0;
}

static void make_rootfs(void)
{
	struct err err;

	assert_int_equal(dir_make(DIR_BASE "/rootfs/bin", 0755, &err), 0);
	put_program(DIR_BASE "/rootfs/bin/native", "amd64");
	put_program(DIR_BASE "/rootfs/bin/pinned", "arm64");
	put_program(DIR_BASE "/rootfs/bin/unpinned", "riscv64");
	put_program(DIR_BASE "/rootfs/bin/disabled", "ppc64le");
	put_program(DIR_BASE "/rootfs/bin/foreign", "s390x");
	put_program("/mnt/interpreter", "amd64");
	put_at(DIR_BASE "/rootfs/bin/script", "#!/bin/foreign\n", 15, 0755);
	put_at(DIR_BASE "/rootfs/bin/text", "echo\n", 5, 0755);
	assert_int_equal(mkfifo(DIR_BASE "/rootfs/bin/fifo", 0755), 0);
	bundle = open(DIR_BASE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int set_up(void **state)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	if (n < 0)
		return -1;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	(void)str_fmt(program, sizeof(program), "%s/../bin/crossarch-prepare", self);
	if (access(program, X_OK) < 0 || !enter_namespaces())
		return 0;
	make_rootfs();
	private_binfmt = mount("b", "/proc/sys/fs/binfmt_misc", "binfmt_misc", 0, NULL) == 0 &&
			 handle("pinned", "arm64", "/mnt/interpreter", "F") &&
			 handle("unpinned", "riscv64", "/nowhere/qemu", "") &&
			 handle("disabled", "ppc64le", "/mnt/interpreter", "F") &&
			 put("/proc/sys/fs/binfmt_misc/disabled", "0");
	return 0;
}

#define NEEDS_PROGRAM           \
	do {                    \
		if (bundle < 0) \
			skip(); \
	} while (0)

static int memory_of(const void *bytes, size_t n)
{
	int fd = memfd_create("request", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	return fd;
}

/* Runs a mode; descriptors below 0 are left out. The exit status, and what was reported. */
static int run(const char *mode, int on_four, int request, int platform, struct report *ret)
{
	char *const argv[] = { program, (char *)(uintptr_t)mode, NULL };
	char *const envp[] = { (char *)(uintptr_t) "PATH=/mnt/none", NULL };
	struct spawn_fd fds[4] = { { -1, 3 }, { on_four, 4 } };
	struct spawn s = { .path = program, .argv = argv, .envp = envp, .fds = fds, .n_fds = 2 };
	static uint8_t bytes[3 * sizeof(*ret) + 1];
	uint64_t begin = now_ns();
	size_t n = 0;
	ssize_t got;
	struct err err;
	int in, status;
	pid_t pid;

	if (request >= 0)
		fds[s.n_fds++] = (struct spawn_fd){ request, 5 };
	if (platform >= 0)
		fds[s.n_fds++] = (struct spawn_fd){ platform, 6 };
	assert_int_equal(fd_pipe(&in, &fds[0].from, 0, &err), 0);
	if (spawn(&s, &pid, &err) < 0)
		fail_msg("%s", err.text);
	close(fds[0].from);
	while ((got = read(in, bytes + n, sizeof(bytes) - n)) > 0) {
		n += (size_t)got;
		if (n == 2 * sizeof(*ret)) /* after what is decided */
			first_report_ms = (now_ns() - begin) / 1000000;
	}
	close(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 0 && report_decode_last(bytes, n, ret, &err) < 0)
		fail_msg("%s", err.text);
	return WEXITSTATUS(status);
}

static void write_config(const char *args, const char *more)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "{\"process\":{\"args\":[\"%s\"],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\"},"
		       "\"root\":{\"path\":\"rootfs\"}%s}",
		       args, more);
	put_at(DIR_BASE "/config.json", text, strlen(text), 0644);
}

/* Mode create on a program; @body is an options table. */
static struct report create(const char *args, const char *more, const char *body)
{
	struct prepare_request r = { .id = "c",
				     .config_body = body,
				     .config_path = "/mnt/prepare/node.json" };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_FD int request = -1;
	struct report report;
	struct err err;

	put_at(DIR_BASE "/node.json", "{\"engine\":\"/mnt/interpreter\"}", 29, 0644);
	write_config(args, more);
	assert_int_equal(request_encode(&r, &text, &err), 0);
	request = memory_of(text.data, text.len);
	assert_int_equal(run("create", bundle, request, -1, &report), 0);
	return report;
}

static void native_program(void **state)
{
	struct report r;

	(void)state;
	NEEDS_PROGRAM;
	r = create("native",
		   ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"}],"
		   "\"cgroupsPath\":\"a.slice:cri:x\"}",
		   "NoPivotRoot = true\nlog_level = 'error'");
	assert_int_equal(r.verdict, VERDICT_NATIVE);
	assert_string_equal(r.guest, "linux/amd64");
	assert_string_equal(r.program, "/bin/native");
	assert_string_equal(r.decided.engine, "/mnt/interpreter");
	assert_int_equal(r.decided.flags,
			 DECIDED_PRIVATE_PID | DECIDED_SYSTEMD_CGROUP | DECIDED_NO_PIVOT);
	assert_int_equal(r.decided.log_level, 0);
	assert_int_equal(r.flags, 0);
}

static void expect_code(const char *args, const char *code)
{
	struct report r = create(args, "", "");

	if (r.verdict != VERDICT_REFUSE || !str_eq(r.code, code))
		fail_msg("%s: verdict %u, %s %s", args, r.verdict, r.line, r.err.text);
	assert_non_null(strstr(r.line, code));
}

static void handlers(void **state)
{
	struct report r;

	(void)state;
	NEEDS_PROGRAM;
	if (!private_binfmt)
		skip();
	r = create("pinned", "", "");
	assert_int_equal(r.verdict, VERDICT_EMULATE);
	assert_string_equal(r.handler, "pinned");
	expect_code("unpinned", "emulator-not-pinned");
	expect_code("disabled", "emulator-disabled");
	expect_code("foreign", "no-emulator");
	expect_code("script", "no-emulator");
	r = create("script", "", "");
	assert_non_null(strstr(r.line, ": /bin/script -> /bin/foreign is linux/s390x ("));
	assert_non_null(strstr(r.line, "(enabled here: arm64, riscv64)"));
}

static void same_line_every_time(void **state)
{
	struct report a, b;

	(void)state;
	NEEDS_PROGRAM;
	a = create("foreign", "", "");
	b = create("foreign", "", "");
	assert_string_equal(a.line, b.line);
	assert_null(strstr(a.line, DIR_BASE));
}

static struct report edit(uint32_t guest)
{
	struct prepare_request r = { .id = "c", .guest_row = (uint64_t)guest + 1 };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_FD int request = -1;
	struct report report;
	struct err err;

	assert_int_equal(request_encode(&r, &text, &err), 0);
	request = memory_of(text.data, text.len);
	assert_int_equal(run("edit", bundle, request, -1, &report), 0);
	return report;
}

static void a_changed_config(void **state)
{
	char text[1024] = "";
	struct report r;
	int fd;

	(void)state;
	NEEDS_PROGRAM;
	if (!private_binfmt)
		skip();
	r = create("pinned", ",\"x\":[1.10,18446744073709551615]", "cpu = \"max\"");
	assert_int_equal(r.verdict, VERDICT_EMULATE);
	assert_true(r.flags & REPORT_EDIT);
	/* The settings of that moment count, whatever becomes of the file. */
	put_at(DIR_BASE "/node.json", "nonsense", 8, 0644);
	r = edit(r.guest_row);
	assert_int_equal(r.verdict, VERDICT_EMULATE);
	assert_true(r.flags & REPORT_PATCHED);
	assert_string_equal(r.cpu, "max");
	assert_string_equal(r.guest, "arm64");
	fd = openat(bundle, "config.json.crossarch", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_string_equal(text, "{\"process\":{\"args\":[\"pinned\"],\"env\":[\"PATH=/bin\","
				  "\"QEMU_CPU=max\"],\"cwd\":\"/\"},\"root\":{\"path\":\"rootfs\"},"
				  "\"x\":[1.10,18446744073709551615]}");
	/* The next run does not keep it, and a guest that is none gets none. */
	r = create("native", "", "cpu = \"max\"");
	assert_false(r.flags & REPORT_EDIT);
	r = edit(UINT32_MAX - 7);
	assert_false(r.flags & REPORT_PATCHED);
	assert_string_equal(r.cpu, "");
	assert_int_equal(faccessat(bundle, "config.json.crossarch", F_OK, 0), -1);
}

static void odd_programs(void **state)
{
	(void)state;
	NEEDS_PROGRAM;
	expect_code("fifo", "not-executable");
	expect_code("/bin", "not-executable");
	expect_code("text", "script-no-shebang");
	assert_int_equal(create("nothing", "", "").verdict, VERDICT_NATIVE);
}

#define LONG                                                                                       \
	"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxx"

/* runc's own options: what does not fit is an error and not another engine, root or cgroup. */
static void long_options(void **state)
{
	static const char *const names[] = { "BinaryName", "Root", "ShimCgroup" };
	struct report r;

	(void)state;
	NEEDS_PROGRAM;
	write_config("native", "");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct prepare_request q = { .id = "c" };
		CLEANUP_BUF struct buf text = BUF_INIT(65536);
		CLEANUP_FD int request = -1;
		struct err err;

		*(i == 0 ? &q.binary_name : i == 1 ? &q.root : &q.shim_cgroup) = LONG LONG LONG;
		assert_int_equal(request_encode(&q, &text, &err), 0);
		request = memory_of(text.data, text.len);
		assert_int_equal(run("create", bundle, request, -1, &r), 0);
		assert_string_equal(r.code, "bad-config");
		assert_non_null(strstr(r.line, names[i]));
	}
}

/* The file says what root runs: nobody else may have a say. */
static void others_settings(void **state)
{
	struct prepare_request q = { .id = "c", .config_path = DIR_BASE "/node.json" };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_FD int request = -1;
	struct report r;
	struct err err;

	(void)state;
	NEEDS_PROGRAM;
	write_config("native", "");
	put_at(DIR_BASE "/node.json", "{\"engine\":\"/mnt/interpreter\"}", 29, 0666);
	assert_int_equal(request_encode(&q, &text, &err), 0);
	request = memory_of(text.data, text.len);
	assert_int_equal(run("create", bundle, request, -1, &r), 0);
	assert_string_equal(r.code, "bad-config");
	assert_non_null(strstr(r.line, "mode 0666"));
	assert_int_equal(chmod(DIR_BASE "/node.json", 0644), 0);
	assert_int_equal(run("create", bundle, request, -1, &r), 0);
	assert_int_equal(r.verdict, VERDICT_NATIVE);
}

static void bad_settings(void **state)
{
	struct report r;

	(void)state;
	NEEDS_PROGRAM;
	r = create("native", "", "emulation = \"sometimes\"");
	assert_int_equal(r.verdict, VERDICT_REFUSE);
	assert_string_equal(r.code, "bad-config");
	r = create("native", ",\"annotations\":{\"io.crossarch.colour\":\"red\"}", "");
	assert_string_equal(r.code, "bad-config");
	r = create("native", "", "Root = \"" LONG LONG LONG "\"");
	assert_string_equal(r.code, "bad-config");
	r = create("native", "", "engine = \"/mnt/none/runc\"");
	assert_int_equal(r.verdict, VERDICT_NONE);
	assert_int_equal(r.err.code, ERR_NOT_FOUND);
}

static void expect_failure(enum err_code code)
{
	struct report r;

	assert_int_equal(run("create", bundle, -1, -1, &r), 0);
	assert_int_equal(r.verdict, VERDICT_NONE);
	assert_int_equal(r.err.code, code);
	assert_int_equal(unlinkat(bundle, "config.json", 0) < 0 &&
				 unlinkat(bundle, "config.json", AT_REMOVEDIR) < 0,
			 0);
}

static void hostile_configs(void **state)
{
	char *big = malloc(9u << 20);

	(void)state;
	NEEDS_PROGRAM;
	write_config("x", "");
	assert_int_equal(unlinkat(bundle, "config.json", 0), 0);
	assert_int_equal(mkfifoat(bundle, "config.json", 0644), 0);
	expect_failure(ERR_INVALID);
	assert_int_equal(mkdirat(bundle, "config.json", 0755), 0);
	expect_failure(ERR_INVALID);
	assert_int_equal(symlinkat("/dev/zero", bundle, "config.json"), 0);
	expect_failure(ERR_INVALID);
	assert_int_equal(symlinkat("config.json", bundle, "config.json"), 0);
	expect_failure(ERR_IO);
	memset(big, ' ', 9u << 20);
	put_at(DIR_BASE "/config.json", big, 9u << 20, 0644);
	expect_failure(ERR_LIMIT);
	memset(big, '[', 8u << 20);
	put_at(DIR_BASE "/config.json", big, 8u << 20, 0644);
	expect_failure(ERR_INVALID);
	free(big);
}

/* Milliseconds that a create with this on descriptor 6 takes. */
static long with_platform(const char *args, int platform, struct report *ret)
{
	struct timespec from, to;

	write_config(args, "");
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(run("create", bundle, -1, platform, ret), 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

static void platform_of_the_image(void **state)
{
	struct report r;
	struct err err;
	int in, out;

	(void)state;
	NEEDS_PROGRAM;
	if (access("/usr/sbin/runc", X_OK) < 0 && access("/usr/bin/crun", X_OK) < 0)
		skip();
	assert_int_equal(fd_pipe(&in, &out, 0, &err), 0);
	assert_int_equal(write(out, "platform=linux/amd64\n", 21), 21);
	close(out);
	(void)with_platform("foreign", in, &r);
	close(in);
	assert_int_equal(r.verdict, VERDICT_REFUSE);
	assert_true(str_ends(r.line, " The image declares linux/amd64."));
	/* One that never answers: waited for, but not long; a native program's first report does
	 * not. */
	assert_int_equal(fd_pipe(&in, &out, 0, &err), 0);
	assert_in_range(with_platform("foreign", in, &r), 450, 3000);
	assert_int_equal(r.verdict, VERDICT_REFUSE);
	assert_in_range(with_platform("native", in, &r), 450, 3000);
	assert_in_range(first_report_ms, 0, 400);
	assert_int_equal(r.verdict, VERDICT_NATIVE);
	close(in);
	close(out);
	/* The answer that comes after the first report is in the second. */
	assert_int_equal(fd_pipe(&in, &out, 0, &err), 0);
	assert_int_equal(write(out, "platform=linux/arm64\n", 21), 21);
	close(out);
	(void)with_platform("native", in, &r);
	close(in);
	assert_int_equal(r.verdict, VERDICT_NATIVE);
	assert_int_equal(r.n_warnings, 1);
	assert_non_null(strstr(r.warnings[0], "crossarch[label-mismatch]"));
}

static void execs(void **state)
{
	struct prepare_request req = { .id = "c", .init_pid = (uint64_t)getpid() };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_FD int request = -1;
	struct report r;
	struct err err;

	(void)state;
	NEEDS_PROGRAM;
	if (access("/usr/sbin/runc", X_OK) < 0 && access("/usr/bin/crun", X_OK) < 0)
		skip();
	write_config("native", ",\"mounts\":[{\"destination\":\"/mnt/prepare\",\"type\":\"bind\","
			       "\"source\":\"/x\"}]");
	req.process = "{\"args\":[\"bin/foreign\"],\"cwd\":\"/mnt/prepare/rootfs\"}";
	assert_int_equal(request_encode(&req, &text, &err), 0);
	request = memory_of(text.data, text.len);
	assert_int_equal(run("exec", bundle, request, -1, &r), 0);
	assert_int_equal(r.verdict, VERDICT_REFUSE);
	assert_string_equal(r.program, "bin/foreign");
	assert_non_null(strstr(r.line, " (from the volume at /mnt/prepare); "));
	fd_close(&request);
	req.init_pid = 0x7fffffff;
	buf_deinit(&text);
	assert_int_equal(request_encode(&req, &text, &err), 0);
	request = memory_of(text.data, text.len);
	assert_int_equal(run("exec", bundle, request, -1, &r), 0);
	assert_int_equal(r.verdict, VERDICT_NONE);
	assert_int_equal(r.err.code, ERR_NOT_FOUND);
}

#define EXEC(terminal) "{\"args\":[\"bin/native\"],\"cwd\":\"/mnt/prepare/rootfs\"" terminal "}"

/* An exec of a native program: whether the process has to be edited. */
static bool exec_needs_edit(const char *process, uint64_t flags)
{
	struct prepare_request req = { .init_pid = (uint64_t)getpid(), .flags = flags };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_FD int request = -1;
	struct report r;
	struct err err;

	req.process = process;
	assert_int_equal(request_encode(&req, &text, &err), 0);
	request = memory_of(text.data, text.len);
	assert_int_equal(run("exec", bundle, request, -1, &r), 0);
	assert_int_equal(r.verdict, VERDICT_NATIVE);
	return r.flags & REPORT_EDIT;
}

/* Mode edit on the process of exec "e", of a native program; what comes of it is in @ret. */
static void edit_exec(const char *process, uint64_t flags, char *ret, size_t size)
{
	struct prepare_request req = { .exec = "e", .flags = flags };
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_FD int request = -1;
	CLEANUP_FD int fd = -1;
	struct report r;
	struct err err;
	ssize_t n;

	put_at(DIR_BASE "/e.process.json", process, strlen(process), 0600);
	assert_int_equal(request_encode(&req, &text, &err), 0);
	request = memory_of(text.data, text.len);
	assert_int_equal(run("edit", bundle, request, -1, &r), 0);
	assert_true(r.flags & REPORT_PATCHED);
	fd = openat(bundle, "e.process.json.crossarch", O_RDONLY | O_CLOEXEC);
	n = read(fd, ret, size - 1);
	assert_true(n > 0);
	ret[n] = '\0';
	assert_int_equal(unlinkat(bundle, "e.process.json.crossarch", 0), 0);
}

/* As if Create had found them in the node's file. */
static void settings_are(const char *json)
{
	struct prepare_request kept = { .settings = json };
	CLEANUP_BUF struct buf text = BUF_INIT(4096);
	struct err err;

	assert_int_equal(request_encode(&kept, &text, &err), 0);
	put_at(DIR_BASE "/crossarch.settings", text.data, text.len, 0600);
	write_config("native", "");
}

/* The request says whether there is one. A native program gets nothing of the emulators'. */
static void terminals_of_execs(void **state)
{
	char text[256];

	(void)state;
	NEEDS_PROGRAM;
	settings_are("{\"cpu\":\"max\",\"qemu\":{\"QEMU_STACK_SIZE\":\"1\"}}");
	assert_false(exec_needs_edit(EXEC(""), 0));
	assert_true(exec_needs_edit(EXEC(""), REQUEST_TERMINAL));
	assert_false(exec_needs_edit(EXEC(",\"terminal\":true"), REQUEST_TERMINAL));
	assert_true(exec_needs_edit(EXEC(",\"terminal\":true"), 0));
	edit_exec(EXEC(",\"terminal\":true"), 0, text, sizeof(text));
	assert_string_equal(text, EXEC(",\"terminal\":false"));
	edit_exec(EXEC(""), REQUEST_TERMINAL, text, sizeof(text));
	assert_string_equal(text, EXEC(",\"terminal\":true"));
}

static void errors_of_engines(void **state)
{
	static const char log[] = "{\"level\":\"error\",\"msg\":\"it broke\"}\n";
	CLEANUP_FD int file = memory_of(log, strlen(log)), empty = memory_of("", 0);
	struct report r;

	(void)state;
	NEEDS_PROGRAM;
	assert_int_equal(run("engine-error", file, -1, -1, &r), 0);
	assert_int_equal(r.err.code, ERR_ENGINE);
	assert_string_equal(r.err.text, "it broke");
	assert_int_equal(run("engine-error", empty, -1, -1, &r), 0);
	assert_int_equal(r.err.code, ERR_ENGINE);
	assert_string_equal(r.err.text, "");
	assert_int_equal(run("engine-error", bundle, -1, -1, &r), 0);
	assert_int_equal(r.err.code, ERR_ENGINE);
	assert_string_equal(r.err.text, "");
}

/* Where the log took nothing, what was written to the process' standard error counts. */
static void words_of_engines(void **state)
{
	static const char words[] = "some line\nwrite the log: no space left on device\n";
	CLEANUP_FD int file = memory_of("{\"level\":\"error\",\"msg\":\"it broke\"}\n", 36);
	CLEANUP_FD int empty = memory_of("", 0);
	CLEANUP_FD int r_end = -1;
	CLEANUP_FD int w_end = -1;
	struct report r;
	struct err err;

	(void)state;
	NEEDS_PROGRAM;
	assert_int_equal(fd_pipe(&r_end, &w_end, O_NONBLOCK, &err), 0);
	assert_int_equal(run("engine-error", empty, r_end, -1, &r), 0);
	assert_string_equal(r.err.text, "");
	assert_int_equal(fd_write_all(w_end, words, strlen(words)), 0);
	assert_int_equal(run("engine-error", file, r_end, -1, &r), 0);
	assert_string_equal(r.err.text, "it broke");
	assert_int_equal(run("engine-error", bundle, r_end, -1, &r), 0);
	assert_string_equal(r.err.text, "write the log: no space left on device");
}

static void usage(void **state)
{
	struct report r;

	(void)state;
	NEEDS_PROGRAM;
	assert_int_equal(run("nothing", bundle, -1, -1, &r), 2);
}

static void bad_requests(void **state)
{
	CLEANUP_FD int request = memory_of("nonsense", 8);
	struct report r;

	(void)state;
	NEEDS_PROGRAM;
	write_config("native", "");
	assert_int_equal(run("create", bundle, request, -1, &r), 0);
	assert_int_equal(r.verdict, VERDICT_NONE);
	assert_int_equal(r.err.code, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(native_program),
		cmocka_unit_test(handlers),
		cmocka_unit_test(same_line_every_time),
		cmocka_unit_test(a_changed_config),
		cmocka_unit_test(odd_programs),
		cmocka_unit_test(bad_settings),
		cmocka_unit_test(long_options),
		cmocka_unit_test(others_settings),
		cmocka_unit_test(hostile_configs),
		cmocka_unit_test(platform_of_the_image),
		cmocka_unit_test(execs),
		cmocka_unit_test(terminals_of_execs),
		cmocka_unit_test(errors_of_engines),
		cmocka_unit_test(words_of_engines),
		cmocka_unit_test(usage),
		cmocka_unit_test(bad_requests),
	};

	return cmocka_run_group_tests_name("prepare", tests, set_up, NULL);
}
