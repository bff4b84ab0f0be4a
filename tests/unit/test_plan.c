/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/str.h"
#include "runtime/plan/diagnosis.h"

/*
 * Rows of facts and what must come of them. A row starts from a healthy static program of one
 * architecture on an amd64 node with emulators for arm64 and riscv64, and changes what it is about.
 */
struct world {
	struct host host;
	struct binfmt_registry binfmt;
	struct binfmt_entry entries[64];
	struct settings settings;
	struct facts f;
	struct plan p;
	char line[DIAGNOSIS_MAX + 1];
};

static const struct arch *named(const char *name)
{
	const struct arch *a = arch_by_name(name, strlen(name));

	assert_non_null(a);
	return a;
}

static struct program_file program(const char *path, const struct arch *a)
{
	struct program_file file = { .path = path, .found = FOUND_FILE, .mode = S_IFREG | 0755 };

	arch_header(a, file.image.head);
	file.image.kind = IMAGE_ELF;
	file.image.head_len = ARCH_HEADER;
	file.image.size = 1000;
	assert_int_equal(ident_read(file.image.head, ARCH_HEADER, &file.image.ident), IDENT_ELF);
	return file;
}

static struct binfmt_entry handler(const char *name, const char *guest)
{
	struct binfmt_entry e = {
		.kind = BINFMT_MAGIC, .enabled = true, .flags = BINFMT_F, .len = 20
	};
	uint8_t head[ARCH_HEADER];

	arch_header(named(guest), head);
	memcpy(e.magic, head, e.len);
	memset(e.mask, 0xff, e.len);
	e.mask[EI_OSABI] = 0;
	e.mask[head[EI_DATA] == ELFDATA2MSB ? 17 : 16] = 0xfe;
	(void)str_copy(e.name, sizeof(e.name), name);
	(void)str_fmt(e.interpreter, sizeof(e.interpreter), "/usr/bin/%s-static", name);
	return e;
}

static void world_init(struct world *w, const char *guest)
{
	memset(w, 0, sizeof(*w));
	w->host = (struct host){ named("amd64"), HOST_YES, HOST_NO, 2, 4096, false };
	settings_init(&w->settings);
	w->entries[0] = handler("qemu-aarch64", "arm64");
	w->entries[1] = handler("qemu-riscv64", "riscv64");
	w->binfmt = (struct binfmt_registry){ BINFMT_ON, false, w->entries, 2, 64 };
	w->f = (struct facts){ .host = &w->host, .binfmt = &w->binfmt, .settings = &w->settings };
	w->f.chain[0] = program("/bin/uname", named(guest));
	w->f.n_chain = 1;
}

/* Decides, with the handler the kernel would take. */
static void decide(struct world *w)
{
	const struct program_file *last = facts_last(&w->f);

	if (w->binfmt.state == BINFMT_ON && last->found == FOUND_FILE)
		w->f.handler = binfmt_registry_match(&w->binfmt, last->image.head, last->path,
						     false, &w->f.rival);
	plan_make(&w->f, &w->p);
	if (w->p.verdict == VERDICT_REFUSE)
		diagnosis_line(&w->f, &w->p, w->p.cause, w->line);
}

static void expect_refusal(struct world *w, enum cause cause, const char *line)
{
	decide(w);
	assert_int_equal(w->p.verdict, VERDICT_REFUSE);
	assert_int_equal(w->p.cause, cause);
	if (line)
		assert_string_equal(w->line, line);
}

static void expect_verdict(struct world *w, enum verdict verdict)
{
	decide(w);
	if (w->p.verdict == VERDICT_REFUSE && verdict != VERDICT_REFUSE)
		fail_msg("%s", w->line);
	assert_int_equal(w->p.verdict, verdict);
}

static void expect_warning(struct world *w, enum verdict verdict, enum cause warning)
{
	expect_verdict(w, verdict);
	assert_int_equal(w->p.n_warnings, 1);
	assert_int_equal(w->p.warnings[0], warning);
	diagnosis_line(&w->f, &w->p, warning, w->line);
}

static void native(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	expect_verdict(&w, VERDICT_NATIVE);
	assert_string_equal(w.p.guest->name, "amd64");
	assert_int_equal(w.p.n_warnings, 0);
	world_init(&w, "386");
	expect_verdict(&w, VERDICT_NATIVE);
}

static void emulated(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	expect_verdict(&w, VERDICT_EMULATE);
	assert_string_equal(w.p.handler->name, "qemu-aarch64");
	assert_string_equal(w.p.guest->name, "arm64");
	assert_string_equal(w.p.cpu, "");
	assert_int_equal(w.p.n_warnings, 0);
}

static void no_emulator(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "s390x");
	expect_refusal(
		&w, CAUSE_NO_EMULATOR,
		"crossarch[no-emulator]: /bin/uname is linux/s390x (64-bit big-endian S/390) "
		"but this node is linux/amd64; no binfmt_misc handler matches it (enabled "
		"here: arm64, riscv64). Fix: run \"crossarch emulators install s390x\" on the "
		"node, or schedule the pod on s390x nodes (nodeSelector kubernetes.io/arch: "
		"s390x).");
	w.binfmt.n = 0;
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
	assert_non_null(strstr(w.line, "(none is enabled here)"));
	(void)str_copy(w.f.declared.os, sizeof(w.f.declared.os), "linux");
	(void)str_copy(w.f.declared.arch, sizeof(w.f.declared.arch), "amd64");
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
	assert_true(str_ends(w.line, " The image declares linux/amd64."));
	w.f.chain[0].volume = "/opt/agent";
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
	assert_non_null(strstr(w.line, "(from the volume at /opt/agent); no binfmt"));
}

static void disabled(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.entries[0].enabled = false;
	expect_refusal(&w, CAUSE_HANDLER_DISABLED,
		       "crossarch[emulator-disabled]: /bin/uname is linux/arm64 (64-bit "
		       "little-endian AArch64) but this node is linux/amd64; the handler "
		       "qemu-aarch64 matches it but is disabled. Fix: on the node run \"echo 1 > "
		       "/proc/sys/fs/binfmt_misc/qemu-aarch64\".");
	w.entries[0].enabled = true;
	w.binfmt.state = BINFMT_OFF;
	w.f.handler = NULL;
	expect_refusal(&w, CAUSE_BINFMT_OFF, NULL);
	assert_non_null(strstr(w.line, "/proc/sys/fs/binfmt_misc/status"));
	world_init(&w, "s390x");
	w.binfmt.state = BINFMT_OFF;
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
}

static void interpreter_in_the_image(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.entries[0].flags = 0;
	w.f.emulator =
		(struct program_file){ .path = w.entries[0].interpreter, .found = FOUND_MISSING };
	expect_refusal(&w, CAUSE_NOT_PINNED, NULL);
	assert_string_equal(cause_row(w.p.cause)->code, "emulator-not-pinned");
	w.f.emulator.found = FOUND_UNKNOWN;
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.emulator.found = FOUND_DIRECTORY;
	expect_refusal(&w, CAUSE_EMULATOR_MODE, NULL);
	w.f.emulator = program(w.entries[0].interpreter, named("amd64"));
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.emulator.mode = S_IFREG | 0644;
	expect_refusal(&w, CAUSE_EMULATOR_MODE, NULL);
	assert_non_null(strstr(w.line, "is not executable (mode 0644)"));
	w.f.emulator.mode = S_IFREG | 0755;
	w.f.emulator.image.kind = IMAGE_EMPTY;
	expect_refusal(&w, CAUSE_EMULATOR_KIND, NULL);
	w.f.emulator = program(w.entries[0].interpreter, named("arm64"));
	expect_refusal(&w, CAUSE_EMULATOR_SELF, NULL);
	w.f.emulator = program(w.entries[0].interpreter, named("s390x"));
	expect_refusal(&w, CAUSE_EMULATOR_FOREIGN, NULL);
	w.f.emulator = program(w.entries[0].interpreter, named("riscv64"));
	expect_verdict(&w, VERDICT_EMULATE);
}

static void pinned_interpreter(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	/* What is on the node now under that name does not matter: the kernel holds the file. */
	w.f.emulator = (struct program_file){ .path = "/usr/bin/qemu-aarch64-static",
					      .found = FOUND_MISSING };
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.emulator = program("/usr/bin/qemu-aarch64-static", named("amd64"));
	w.f.emulator_loader = (struct program_file){ .path = "/lib64/ld-linux-x86-64.so.2",
						     .found = FOUND_MISSING };
	expect_refusal(&w, CAUSE_EMULATOR_LOADER, NULL);
	w.f.emulator_loader.found = FOUND_FILE;
	w.entries[0].registered_ns = 5;
	w.f.emulator_changed_ns = 6;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_REPLACED);
	w.f.emulator_changed_ns = 5;
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.n_warnings, 0);
}

static void no_table(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.binfmt.n = 0;
	w.binfmt.state = BINFMT_NOT_MOUNTED;
	expect_refusal(&w, CAUSE_NOT_MOUNTED, NULL);
	w.binfmt.state = BINFMT_UNSUPPORTED;
	expect_refusal(&w, CAUSE_UNSUPPORTED, NULL);
	/* Nothing is known: nothing is refused. */
	w.binfmt.state = BINFMT_UNKNOWN;
	expect_verdict(&w, VERDICT_NATIVE);
	w.binfmt.state = BINFMT_ON;
	w.binfmt.partial = true;
	expect_verdict(&w, VERDICT_NATIVE);
}

static void hidden(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "s390x");
	w.f.own_binfmt = true;
	expect_refusal(&w, CAUSE_HIDDEN, NULL);
	world_init(&w, "arm64"); /* the pod registered a handler itself */
	w.f.own_binfmt = true;
	expect_verdict(&w, VERDICT_EMULATE);
	world_init(&w, "amd64");
	w.f.own_binfmt = true;
	expect_verdict(&w, VERDICT_NATIVE);
}

static void header_not_matched(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.f.chain[0].image.head[EI_ABIVERSION] = 3;
	expect_refusal(&w, CAUSE_HEADER, NULL);
	assert_non_null(strstr(w.line, "rejects byte 8 (0x03 where it wants 0x00, mask 0xff) of"));
}

static void no_32bit(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "386");
	w.host.compat32 = HOST_NO;
	expect_refusal(&w, CAUSE_NO_32BIT, NULL);
	w.host.compat32 = HOST_UNKNOWN;
	expect_verdict(&w, VERDICT_NATIVE);
	world_init(&w, "x32");
	expect_refusal(&w, CAUSE_X32, NULL);
	world_init(&w, "arm");
	w.host = (struct host){ named("arm64"), HOST_NO, HOST_NO, 0, 4096, false };
	expect_refusal(&w, CAUSE_NO_32BIT, NULL);
	assert_null(strstr(w.line, "ia32"));
}

static void abi_mismatch(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64be");
	w.host = (struct host){ named("arm64"), HOST_YES, HOST_NO, 0, 4096, false };
	w.binfmt.n = 0;
	expect_refusal(&w, CAUSE_ABI_NODE, NULL);
	world_init(&w, "mipsn32");
	w.entries[0] = handler("qemu-mips64", "mips64");
	expect_refusal(&w, CAUSE_ABI_HANDLER, NULL);
	assert_non_null(strstr(w.line, "the handler qemu-mips64 is for the same processor"));
	assert_non_null(strstr(w.line, "(32-bit big-endian MIPS, n32 ABI)"));
}

static void unknown_machine(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.f.chain[0].image.head[18] = 0x34;
	w.f.chain[0].image.head[19] = 0x12;
	w.f.chain[0].image.ident.machine = 0x1234;
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
	assert_non_null(strstr(w.line, "is linux/unknown (64-bit little-endian machine 4660)"));
}

static void loaders(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.f.loader = (struct program_file){ .path = "/lib64/ld-linux-x86-64.so.2",
					    .found = FOUND_MISSING };
	expect_refusal(&w, CAUSE_LOADER_MISSING, NULL);
	w.f.other_loader = "/lib/ld-musl-x86_64.so.1";
	expect_refusal(&w, CAUSE_LOADER_OTHER, NULL);
	w.f.loader.found = FOUND_UNKNOWN;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.loader = program("/lib64/ld-linux-x86-64.so.2", named("amd64"));
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.loader = program("/lib64/ld-linux-x86-64.so.2", named("arm64"));
	expect_refusal(&w, CAUSE_LOADER_FOREIGN, NULL);
	assert_non_null(strstr(w.line, "is linux/arm64 (64-bit"));
	w.f.loader.image.kind = IMAGE_TEXT;
	expect_refusal(&w, CAUSE_LOADER_NOT_ELF, NULL);
	w.f.loader.mode = S_IFREG | 0644;
	expect_refusal(&w, CAUSE_LOADER_MODE, NULL);
	w.f.loader.noexec = true;
	w.f.loader.volume = "/opt/lib";
	expect_refusal(&w, CAUSE_LOADER_NOEXEC, NULL);
	assert_non_null(strstr(w.line, "Fix: mount /opt/lib without noexec"));
	w.f.chain[0].image.interp_bad = true;
	expect_refusal(&w, CAUSE_INTERP, NULL);
}

/* The loader of a program that an emulator would run, looked for and judged like a native one's. */
static void loaders_of_guests(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.f.emulator_is_qemu = true;
	w.f.loader = (struct program_file){ .path = "/lib/ld-linux-aarch64.so.1",
					    .found = FOUND_MISSING };
	expect_refusal(&w, CAUSE_LOADER_MISSING,
		       "crossarch[loader-missing]: /bin/uname is linux/arm64 (64-bit little-endian "
		       "AArch64); the handler qemu-aarch64 would run it, but it is dynamically "
		       "linked and its loader /lib/ld-linux-aarch64.so.1 is not in the image. Fix: "
		       "use a base image that has /lib/ld-linux-aarch64.so.1, or link the program "
		       "statically.");
	w.f.emulator_is_qemu = false; /* others have files of their own */
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.emulator_is_qemu = true;
	w.f.other_loader = "/lib/ld-musl-aarch64.so.1";
	expect_refusal(&w, CAUSE_LOADER_OTHER, NULL);
	w.f.loader = program("/lib/ld-linux-aarch64.so.1", named("amd64"));
	expect_refusal(&w, CAUSE_LOADER_FOREIGN, NULL);
	assert_non_null(strstr(w.line, "would run it, but its loader"));
	w.f.loader = program("/lib/ld-linux-aarch64.so.1", named("arm64"));
	w.f.loader.mode = S_IFREG | 0644; /* qemu only reads it */
	w.f.loader.noexec = true;
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.loader.found = FOUND_DIRECTORY;
	expect_refusal(&w, CAUSE_LOADER_MODE, NULL);
	w.f.loader.found = FOUND_UNKNOWN;
	expect_verdict(&w, VERDICT_EMULATE);
}

/* What the model that was chosen leaves of it. */
static void models_of_guests(void **state)
{
	static const struct {
		const char *model;
		unsigned int level;
	} rows[] = {
		{ NULL, 3 },	      { "", 3 },
		{ "max", 3 },	      { "Haswell", 3 },
		{ "unheard-of", 3 },  { "Nehalem", 2 },
		{ "Nehalem-v1", 2 },  { "SandyBridge-IBRS", 2 },
		{ "qemu64", 1 },      { "Penryn-v1", 1 },
		{ "qemu64,+avx", 3 }, /* who knows */
		{ "Nehalem2", 3 },
	};
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.host = (struct host){ named("arm64"), HOST_YES, HOST_NO, 0, 4096, false };
	w.entries[0] = handler("qemu-x86_64", "amd64");
	w.f.emulator_is_qemu = true;
	w.f.loader = program("/lib64/ld-linux-x86-64.so.2", named("amd64"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		w.f.cpu_model = rows[i].model;
		for (unsigned int want = 2; want <= 3; want++) {
			w.f.chain[0].image.x86_level = want;
			if (want <= rows[i].level)
				expect_verdict(&w, VERDICT_EMULATE);
			else
				expect_refusal(&w, CAUSE_CPU_MODEL, NULL);
		}
	}
	w.f.cpu_model = "Nehalem";
	expect_refusal(&w, CAUSE_CPU_MODEL, NULL);
	assert_non_null(strstr(w.line, "QEMU_CPU is Nehalem there, a processor of x86-64-v2. Fix"));
}

static void amd64_on_arm64(struct world *w)
{
	world_init(w, "amd64");
	w->host = (struct host){ named("arm64"), HOST_YES, HOST_NO, 0, 4096, false };
	w->entries[0] = handler("qemu-x86_64", "amd64");
	w->f.emulator_is_qemu = true;
	w->f.loader = program("/lib64/ld-linux-x86-64.so.2", named("amd64"));
}

/* What the emulator said of itself counts for more than what is known of others. */
static void asked_emulators(void **state)
{
	struct world w;

	(void)state;
	amd64_on_arm64(&w);
	w.f.chain[0].image.x86_level = 3;
	w.f.cpu_model = "max,-avx2";
	w.f.emulator_level = 2;
	w.f.emulator_most = 3;
	expect_refusal(&w, CAUSE_CPU_MODEL, NULL);
	assert_non_null(strstr(w.line, "QEMU_CPU is max,-avx2 there, a processor of x86-64-v2"));
	w.f.emulator_level = w.f.emulator_most = 4; /* of a qemu that is still to come */
	w.f.chain[0].image.x86_level = 4;
	w.f.cpu_model = "qemu64";
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.cpu_model = NULL;
	w.f.emulator_level = 1;
	w.f.emulator_most = 2;
	w.f.chain[0].image.x86_level = 2;
	expect_refusal(&w, CAUSE_CPU_MODEL, NULL);
	assert_non_null(strstr(w.line,
			       "but qemu imitates, unless it is told otherwise, a processor "
			       "of x86-64-v1. Fix: set the annotation io.crossarch.cpu to "
			       "max"));
	w.f.chain[0].image.x86_level = 3;
	expect_refusal(&w, CAUSE_CPU_EMULATED, NULL);
	assert_non_null(strstr(w.line, "qemu imitates a processor of x86-64-v2 at most"));
}

/* An image of a variant was built for that level throughout, whatever its first program says. */
static void declared_levels_of_guests(void **state)
{
	struct world w;

	(void)state;
	amd64_on_arm64(&w);
	w.f.declared = (struct platform){ "linux", "amd64", "v3" };
	w.f.emulator_version = (struct version){ 7, 2, 0 };
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.emulator_version = (struct version){ 7, 1, 0 };
	expect_refusal(&w, CAUSE_CPU_DECLARED_EMULATED,
		       "crossarch[cpu-level]: the image of /bin/uname declares linux/amd64/v3; the "
		       "handler qemu-x86_64 would run it, but qemu imitates a processor of "
		       "x86-64-v2 at most. Fix: use an image built for x86-64-v2, or schedule the "
		       "pod on amd64 nodes (nodeSelector kubernetes.io/arch: amd64).");
	w.f.emulator_version = (struct version){ 8, 0, 0 };
	w.f.cpu_model = "Nehalem";
	expect_refusal(&w, CAUSE_CPU_DECLARED_EMULATED, NULL);
	assert_non_null(strstr(w.line, "but QEMU_CPU is Nehalem there, a processor of x86-64-v2. "
				       "Fix: set the annotation io.crossarch.cpu to max, or use"));
	w.f.declared = (struct platform){ "linux", "amd64", "v9" };
	expect_verdict(&w, VERDICT_EMULATE);
}

/* Who may run the emulator is told what to ask it, where nothing else decides. */
static void levels_to_ask_for(void **state)
{
	struct world w;

	(void)state;
	amd64_on_arm64(&w);
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.program_level, 0);
	assert_int_equal(w.p.image_level, 0);
	w.f.chain[0].image.x86_level = 2;
	w.f.declared = (struct platform){ "linux", "amd64", "v3" };
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.program_level, 2);
	assert_int_equal(w.p.image_level, 3);
	w.f.emulator_level = w.f.emulator_most = 3;
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.program_level, 0);
	w.f.emulator_level = w.f.emulator_most = 0;
	w.f.cpu_model = "EPYC"; /* the process's own */
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.program_level, 0);
	w.f.cpu_model = NULL;
	w.f.purpose = FOR_EXEC;
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.program_level, 0);
	w.f.purpose = FOR_CONTAINER;
	w.f.emulator_version = (struct version){ 12, 0, 0 };
	w.f.chain[0].image.x86_level = 4;
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.program_level, 4);
}

/* What the emulator offers, not the node. */
static void processors_of_guests(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.host = (struct host){ named("arm64"), HOST_YES, HOST_NO, 0, 16384, false };
	w.entries[0] = handler("qemu-x86_64", "amd64");
	w.f.emulator_is_qemu = true;
	w.f.emulator_version = (struct version){ 8, 2, 0 };
	w.f.loader = program("/lib64/ld-linux-x86-64.so.2", named("amd64"));
	w.f.chain[0].image.x86_level = 3;
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.chain[0].image.x86_level = 4;
	expect_refusal(&w, CAUSE_CPU_EMULATED, NULL);
	assert_non_null(strstr(w.line,
			       "imitates a processor of x86-64-v3 at most. Fix: use an "
			       "image built for x86-64-v3, or schedule the pod on amd64 nodes"));
	w.f.cpu_model = "Nehalem"; /* is beside the point */
	expect_refusal(&w, CAUSE_CPU_EMULATED, NULL);
	w.f.cpu_model = NULL;
	w.f.loader.path = "/lib/ld-musl-x86_64.so.1"; /* which does not check */
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.chain[0].image.x86_level = 0;
	w.f.chain[0].image.segments.largest_page = 4096;
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.emulator_version.major = 7; /* which copies them as well, */
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.chain[0].image.segments.misplaced = true; /* but not these */
	expect_refusal(&w, CAUSE_PAGE_SIZE, NULL);
	w.f.emulator_version.major = 8;
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.chain[0].image.segments.largest_page = 2048; /* not even the guest's */
	expect_refusal(&w, CAUSE_PAGE_SIZE, NULL);
}

/* An arm64 node where @interpreter, and not qemu, runs programs of amd64. */
static void other_emulator(struct world *w, const char *name, const char *interpreter)
{
	world_init(w, "amd64");
	w->host = (struct host){
		.arch = named("arm64"), .compat32 = HOST_YES, .x32 = HOST_NO, .page_size = 16384
	};
	w->entries[0] = handler(name, "amd64");
	(void)str_copy(w->entries[0].interpreter, sizeof(w->entries[0].interpreter), interpreter);
	w->f.emulator = program(w->entries[0].interpreter, named("arm64"));
	w->f.loader = (struct program_file){ .path = "/lib64/ld-linux-x86-64.so.2",
					     .found = FOUND_MISSING };
}

/* What is known of qemu says nothing about it: not its levels, pages, calls or models. */
static void emulators_of_other_makers(void **state)
{
	static const struct {
		const char *name, *interpreter;
	} rows[] = {
		{ "rosetta", "/mnt/lima-rosetta/rosetta" },
		{ "FEX-x86_64", "/usr/bin/FEX" },
		{ "crossarch-amd64", "/usr/local/bin/box64" },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		other_emulator(&w, rows[i].name, rows[i].interpreter);
		w.f.chain[0].image.x86_level = 4;
		w.f.chain[0].image.segments.largest_page = 4096;
		w.f.emulator_version = (struct version){ 0, 0, 0 };
		expect_verdict(&w, VERDICT_EMULATE);
		assert_int_equal(w.p.n_warnings, 0);
		w.f.seccomp.blocked = w.f.seccomp.denied = "mmap";
		w.settings.seccomp_keep = true;
		expect_verdict(&w, VERDICT_EMULATE);
		w.f.purpose = FOR_EXEC;
		expect_verdict(&w, VERDICT_EMULATE);
		w.f.purpose = FOR_CONTAINER;
		w.settings.cpus[w.settings.n_cpus++] = (struct settings_cpu){ "amd64", "Nehalem" };
		expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_MODEL);
		assert_string_equal(w.p.cpu, "");
		w.settings.emulation_never = true;
		expect_refusal(&w, CAUSE_NEVER, NULL);
	}
}

/* Ours to change is only what we registered. */
static void advice_about_other_makers(void **state)
{
	struct world w;

	(void)state;
	other_emulator(&w, "box64", "/usr/local/bin/box64");
	w.entries[0].flags = 0;
	w.f.emulator.found = FOUND_MISSING;
	expect_refusal(&w, CAUSE_NOT_PINNED, NULL);
	assert_non_null(strstr(w.line, "Fix: use qemu for it: run \"crossarch emulators install "
				       "--force amd64\" on the node."));
	other_emulator(&w, "crossarch-amd64", "/usr/local/bin/box64");
	w.settings.cpus[w.settings.n_cpus++] = (struct settings_cpu){ "amd64", "Nehalem" };
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_MODEL);
	assert_string_equal(
		w.line,
		"crossarch[cpu-level]: /bin/uname runs under box64; the processor model "
		"Nehalem that is set for it is one of qemu's, and has no effect here. Fix: do "
		"without it (io.crossarch.cpu, or cpu in the configuration), or run "
		"\"crossarch emulators install --emulator qemu amd64\" on the node.");
	other_emulator(&w, "rosetta", "/mnt/lima-rosetta/rosetta");
	w.entries[0].registered_ns = 1;
	w.f.emulator_changed_ns = 2;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_REPLACED);
	assert_non_null(strstr(w.line, "Fix: have the handler registered again by what "));
	diagnosis_line(&w.f, &w.p, CAUSE_ILLEGAL, w.line);
	assert_non_null(strstr(w.line, "use an image built for an older processor, or run "
				       "\"crossarch emulators install --force --emulator qemu "
				       "amd64\" on the node."));
}

/* Ours came after somebody's own choice: it is ours that may go. */
static void a_choice_that_is_covered(void **state)
{
	struct world w;

	(void)state;
	other_emulator(&w, "rosetta", "/mnt/lima-rosetta/rosetta");
	w.entries[1] = handler("crossarch-amd64", "amd64");
	w.entries[1].registered_ns = 1;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_SEVERAL);
	assert_non_null(strstr(w.line, "two handlers match it, crossarch-amd64 and rosetta; "));
	assert_non_null(
		strstr(w.line, "e.g. on the node run \"crossarch emulators remove amd64\"."));
}

/* golang/go#69255 */
static void go_programs(void **state)
{
	static const struct {
		struct version v;
		bool warned;
	} rows[] = {
		{ { 0, 0, 0 }, true },	 { { 1, 19, 8 }, true },  { { 1, 24, 6 }, true },
		{ { 1, 24, 10 }, true }, { { 1, 25, 0 }, true },  { { 1, 25, 3 }, true },
		{ { 1, 25, 4 }, false }, { { 1, 26, 0 }, false },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world_init(&w, "amd64");
		w.host = (struct host){ named("arm64"), HOST_YES, HOST_NO, 0, 4096, false };
		w.entries[0] = handler("qemu-x86_64", "amd64");
		w.f.go = true;
		w.f.go_version = rows[i].v;
		expect_verdict(&w, VERDICT_EMULATE);
		assert_int_equal(w.p.n_warnings, rows[i].warned);
	}
	w.f.go_version = rows[4].v;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_GO);
	assert_string_equal(
		w.line, "crossarch[known-crash]: /bin/uname is a Go program of amd64 (Go 1.25.0) "
			"under qemu on arm64; Go before 1.25.4 crashes there at random, with "
			"lfstack.push or taggedPointerPack: it has no room for arm64's addresses "
			"(golang/go#69255). Fix: build it with Go 1.25.4 or newer, or use an image "
			"built for linux/arm64.");
}

/* dotnet/runtime#13648 */
static void dotnet_programs(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.entries[0] = handler("qemu-aarch64", "arm64");
	w.f.dotnet = true;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_DOTNET);
	assert_non_null(strstr(w.line, "is a .NET program under qemu; .NET 7 and newer crash"));
	world_init(&w, "amd64");
	w.f.dotnet = true;
	expect_verdict(&w, VERDICT_NATIVE);
	assert_int_equal(w.p.n_warnings, 0);
}

/* Whatever a hook may change is not known; what the configuration forbids stays forbidden. */
static void hooks(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "s390x");
	w.f.hooks_before = true;
	expect_verdict(&w, VERDICT_NATIVE);
	w.settings.emulation_never = true;
	expect_refusal(&w, CAUSE_NEVER, NULL);
	world_init(&w, "amd64");
	w.f.hooks_before = true;
	w.f.chain[0].image.kind = IMAGE_EMPTY;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.chain[0].mode = S_IFREG | 0644;
	expect_verdict(&w, VERDICT_NATIVE);
	world_init(&w, "arm64");
	w.f.hooks_before = true;
	expect_verdict(&w, VERDICT_EMULATE);
}

static void other_systems(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.f.chain[0].image.system = SYSTEM_FREEBSD;
	expect_warning(&w, VERDICT_NATIVE, CAUSE_WARN_SYSTEM);
	w.f.loader =
		(struct program_file){ .path = "/libexec/ld-elf.so.1", .found = FOUND_MISSING };
	expect_refusal(&w, CAUSE_SYSTEM, NULL);
	assert_non_null(strstr(w.line, "/bin/uname is a FreeBSD program for this processor; "));
	w.f.loader.path = NULL;
	w.f.chain[0].image.system_noted = true;
	expect_refusal(&w, CAUSE_SYSTEM, NULL);
	w.f.chain[0].image.system = SYSTEM_ANDROID; /* a static one runs */
	expect_verdict(&w, VERDICT_NATIVE);
}

/* Five replacements are all the kernel does, and a handler's is one. */
static void handlers_behind_scripts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.f.chain_too_long = true;
	expect_refusal(&w, CAUSE_TOO_DEEP, NULL);
}

static void arm_abi_by_loader(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "armhf");
	w.host = (struct host){ named("arm64"), HOST_YES, HOST_NO, 0, 4096, false };
	w.f.loader =
		(struct program_file){ .path = "/lib/ld-linux-armhf.so.3", .found = FOUND_MISSING };
	w.f.other_loader = "/lib/ld-linux.so.3";
	expect_refusal(&w, CAUSE_ABI_LOADER, NULL);
	w.f.other_loader = "/lib/ld-musl-armhf.so.1";
	expect_refusal(&w, CAUSE_LOADER_OTHER, NULL);
}

static void processor_levels(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.f.chain[0].image.x86_level = 3;
	expect_verdict(&w, VERDICT_NATIVE); /* static: nobody checks */
	w.f.loader = program("/lib64/ld-linux-x86-64.so.2", named("amd64"));
	expect_refusal(&w, CAUSE_CPU_PROGRAM, NULL);
	assert_non_null(strstr(w.line, "is built for x86-64-v3; this node's processor offers "
				       "x86-64-v2 only"));
	w.host.x86_level = 3;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.loader.image.x86_level = 4;
	expect_refusal(&w, CAUSE_CPU_PROGRAM, NULL);
	w.f.loader.image.x86_level = 0;
	w.f.declared = (struct platform){ "linux", "amd64", "v4" };
	expect_refusal(&w, CAUSE_CPU_DECLARED, NULL);
	w.f.declared = (struct platform){ "linux", "amd64", "v3" };
	expect_verdict(&w, VERDICT_NATIVE);
}

static void pages(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.host = (struct host){ named("arm64"), HOST_YES, HOST_NO, 0, 65536, false };
	w.binfmt.n = 0;
	w.f.chain[0].image.segments.largest_page = 4096;
	expect_refusal(&w, CAUSE_PAGE_SIZE, NULL);
	/* A small one has all its segments in one such page, and its entry seems to be in the last.
	 */
	w.f.chain[0].image.segments.dead = true;
	expect_refusal(&w, CAUSE_PAGE_SIZE, NULL);
	w.f.chain[0].image.segments.largest_page = 65536;
	expect_refusal(&w, CAUSE_CUT_SEGMENT, NULL);
	w.f.chain[0].image.segments.dead = false;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.loader = program("/lib/ld-linux-aarch64.so.1", named("arm64"));
	w.f.loader.image.segments.largest_page = 4096;
	w.f.loader.image.segments.dead = true;
	expect_refusal(&w, CAUSE_PAGE_SIZE, NULL);
}

/* /start.sh and what its #! line names. */
static void script_world(struct world *w, const char *interpreter, enum found_kind found)
{
	world_init(w, "amd64");
	w->f.chain[1] = program(interpreter, named("amd64"));
	w->f.chain[1].found = found;
	w->f.chain[0] = (struct program_file){ .path = "/start.sh",
					       .found = FOUND_FILE,
					       .mode = S_IFREG | 0755 };
	w->f.chain[0].image.kind = IMAGE_SCRIPT;
	w->f.n_chain = 2;
}

static void scripts(void **state)
{
	struct world w;

	(void)state;
	script_world(&w, "/bin/sh", FOUND_FILE);
	expect_verdict(&w, VERDICT_NATIVE);
	script_world(&w, "/bin/bash", FOUND_MISSING);
	expect_refusal(&w, CAUSE_INTERPRETER_MISSING, NULL);
	script_world(&w, "/bin/sh\r", FOUND_MISSING);
	w.f.chain[0].image.script.crlf = true;
	expect_refusal(&w, CAUSE_CRLF, NULL);
	script_world(&w, "/bin/sh", FOUND_UNKNOWN);
	expect_verdict(&w, VERDICT_NATIVE);
	script_world(&w, "/bin/sh", FOUND_FILE);
	w.f.chain[1] = program("/bin/sh", named("s390x"));
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
	assert_non_null(strstr(w.line, ": /start.sh -> /bin/sh is linux/s390x ("));
	w.f.chain_too_long = true;
	expect_refusal(&w, CAUSE_TOO_DEEP, NULL);
}

static void files_nobody_runs(void **state)
{
	static const struct {
		enum image_kind kind;
		const char *code;
	} rows[] = {
		{ IMAGE_EMPTY, "file-empty" },	    { IMAGE_ZEROS, "file-damaged" },
		{ IMAGE_CUT, "file-damaged" },	    { IMAGE_OBJECT, "not-linux" },
		{ IMAGE_CORE, "not-linux" },	    { IMAGE_NAMELESS, "script-no-shebang" },
		{ IMAGE_BOM, "script-no-shebang" }, { IMAGE_TEXT, "script-no-shebang" },
		{ IMAGE_MACHO, "not-linux" },	    { IMAGE_PE, "not-linux" },
		{ IMAGE_WASM, "not-linux" },	    { IMAGE_ZIP, "not-linux" },
		{ IMAGE_JAVA_CLASS, "not-linux" },  { IMAGE_GZIP, "not-linux" },
		{ IMAGE_DATA, "not-linux" },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world_init(&w, "amd64");
		memset(w.f.chain[0].image.head, 0, PROGRAM_HEAD);
		w.f.chain[0].image.kind = rows[i].kind;
		expect_verdict(&w, VERDICT_REFUSE);
		assert_string_equal(cause_row(w.p.cause)->code, rows[i].code);
		assert_null(w.p.guest);
		w.f.engine_runs_it = true;
		expect_verdict(&w, VERDICT_NATIVE);
		w.f.engine_runs_it = false;
		w.binfmt.partial = true; /* an entry we cannot read may take it */
		expect_verdict(&w, VERDICT_NATIVE);
	}
}

/* A handler by extension, for archives: no emulation, but its interpreter must be there. */
static void other_handlers(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	memset(w.f.chain[0].image.head, 0, PROGRAM_HEAD);
	w.f.chain[0].image.kind = IMAGE_ZIP;
	w.f.chain[0].path = "/app.jar";
	w.entries[0] = (struct binfmt_entry){ .name = "jar",
					      .interpreter = "/usr/bin/jexec",
					      .kind = BINFMT_EXTENSION,
					      .extension = "jar",
					      .enabled = true };
	expect_verdict(&w, VERDICT_NATIVE);
	w.settings.emulation_never = true;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.emulator = (struct program_file){ .path = "/usr/bin/jexec", .found = FOUND_MISSING };
	expect_verdict(&w, VERDICT_REFUSE);
}

static void access_to_files(void **state)
{
	static const struct {
		enum found_kind found;
		mode_t mode;
		bool noexec;
		enum cause cause;
	} rows[] = {
		{ FOUND_DIRECTORY, S_IFDIR | 0755, false, CAUSE_DIRECTORY },
		{ FOUND_SPECIAL, S_IFIFO | 0755, false, CAUSE_SPECIAL },
		{ FOUND_LOOP, 0, false, CAUSE_LOOP },
		{ FOUND_FILE, S_IFREG | 0644, false, CAUSE_NO_X_BIT },
		{ FOUND_FILE, S_IFREG | 0755, true, CAUSE_NOEXEC },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world_init(&w, "amd64");
		w.f.chain[0].found = rows[i].found;
		w.f.chain[0].mode = rows[i].mode;
		w.f.chain[0].noexec = rows[i].noexec;
		expect_refusal(&w, rows[i].cause, NULL);
		assert_string_equal(cause_row(w.p.cause)->code, "not-executable");
	}
	world_init(&w, "amd64");
	w.f.chain[0].mode = S_IFREG | 0001; /* somebody may */
	expect_verdict(&w, VERDICT_NATIVE);
}

static void missing_programs_are_the_engines(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.f.chain[0].found = FOUND_MISSING;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.chain[0].found = FOUND_UNKNOWN;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.n_chain = 0;
	expect_verdict(&w, VERDICT_NATIVE);
}

static void wanted_platform(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "amd64");
	w.settings.wanted = (struct platform){ "linux", "arm64", "" };
	expect_refusal(&w, CAUSE_PLATFORM, NULL);
	assert_non_null(strstr(w.line, ": the pod's runtime class asks for linux/arm64 but "));
	assert_true(str_ends(w.line, "or use another runtime class."));
	w.settings.wanted_by_pod = true;
	expect_refusal(&w, CAUSE_PLATFORM, NULL);
	assert_non_null(strstr(w.line, ": the pod asks for linux/arm64 but "));
	assert_true(str_ends(w.line, "or remove the annotation io.crossarch.platform."));
	w.f.purpose = FOR_SANDBOX;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.purpose = FOR_EXEC;
	expect_verdict(&w, VERDICT_NATIVE);
	world_init(&w, "arm64");
	w.settings.wanted = (struct platform){ "linux", "arm64", "v9" };
	expect_verdict(&w, VERDICT_EMULATE);
	world_init(&w, "amd64");
	w.settings.wanted = (struct platform){ "linux", "arm64", "" };
	w.f.n_chain = 0;
	expect_verdict(&w, VERDICT_NATIVE);
	w.f.declared = (struct platform){ "linux", "amd64", "" };
	expect_refusal(&w, CAUSE_PLATFORM_DECLARED, NULL);
}

static void never(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.settings.emulation_never = true;
	expect_refusal(&w, CAUSE_NEVER, NULL);
	world_init(&w, "s390x");
	w.settings.emulation_never = true;
	expect_refusal(&w, CAUSE_NEVER, NULL);
	world_init(&w, "amd64");
	w.settings.emulation_never = true;
	expect_verdict(&w, VERDICT_NATIVE);
}

/* Asking changes nothing by itself: a pod without a user namespace has the node's handlers. */
static void private_emulators(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.settings.private_emulators = true;
	expect_verdict(&w, VERDICT_EMULATE);
	w.f.private_bar = CAUSE_PRIVATE_PRIVILEGED;
	expect_refusal(&w, CAUSE_PRIVATE_PRIVILEGED, NULL);
	w.f.private_bar = CAUSE_PRIVATE_HOST_PID;
	expect_refusal(&w, CAUSE_PRIVATE_HOST_PID, NULL);
	w.f.purpose = FOR_SANDBOX;
	expect_verdict(&w, VERDICT_EMULATE);
	/* Switching its handler on would not help. */
	world_init(&w, "arm64");
	w.entries[0].enabled = false;
	w.f.handler = NULL;
	expect_refusal(&w, CAUSE_HANDLER_DISABLED, NULL);
	w.f.private_bar = CAUSE_PRIVATE_HOST_PID;
	expect_refusal(&w, CAUSE_PRIVATE_HOST_PID, NULL);
	world_init(&w, "amd64");
	w.f.private_bar = CAUSE_PRIVATE_HOST_PID;
	expect_verdict(&w, VERDICT_NATIVE);
	world_init(&w, "s390x");
	w.settings.private_emulators = true;
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
	w.f.private_offered = true;
	expect_refusal(&w, CAUSE_PRIVATE_MISSING, NULL);
	world_init(&w, "s390x");
	w.settings.private_emulators = true;
	w.f.own_binfmt = true;
	expect_refusal(&w, CAUSE_PRIVATE_TAKEN, NULL);
}

static void seccomp(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.f.seccomp = (struct seccomp_fit){ true, "mprotect", NULL };
	expect_verdict(&w, VERDICT_EMULATE);
	assert_true(w.p.adapt_seccomp);
	w.settings.seccomp_keep = true;
	expect_refusal(&w, CAUSE_SECCOMP, NULL);
	assert_non_null(strstr(w.line, "does not allow mprotect,"));
	w.f.seccomp.blocked = NULL;
	expect_verdict(&w, VERDICT_EMULATE);
	assert_false(w.p.adapt_seccomp);
}

static void cpu_model(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.settings.n_cpus = 1;
	(void)str_copy(w.settings.cpus[0].model, sizeof(w.settings.cpus[0].model), "max");
	expect_verdict(&w, VERDICT_EMULATE);
	assert_string_equal(w.p.cpu, "max");
	world_init(&w, "amd64");
	expect_verdict(&w, VERDICT_NATIVE);
	assert_string_equal(w.p.cpu, "");
}

static void warnings(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "arm64");
	w.f.declared = (struct platform){ "linux", "amd64", "" };
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_LABEL);
	world_init(&w, "arm64");
	w.f.chain[0].mode |= S_ISUID;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_SETUID);
	w.f.purpose = FOR_EXEC;
	expect_verdict(&w, VERDICT_EMULATE);
	assert_int_equal(w.p.n_warnings, 0);
	world_init(&w, "arm64");
	w.entries[2] = handler("other", "arm64");
	w.binfmt.n = 3;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_SEVERAL);
	world_init(&w, "amd64");
	w.entries[2] = handler("qemu-x86_64", "amd64");
	w.binfmt.n = 3;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_SHADOWED);
	world_init(&w, "arm64");
	(void)str_copy(w.entries[0].interpreter, sizeof(w.entries[0].interpreter), "/q-binfmt-P");
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_ARGV0);
	world_init(&w, "arm64");
	w.f.memory_max = 32u << 20;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_MEMORY);
	assert_non_null(strstr(w.line, "the memory limit of 32 MiB"));
	world_init(&w, "arm64");
	w.f.emulator_version.major = 7;
	expect_warning(&w, VERDICT_EMULATE, CAUSE_WARN_OLD);
	world_init(&w, "amd64");
	w.f.chain[0].image.segments.cut = true;
	expect_warning(&w, VERDICT_NATIVE, CAUSE_WARN_CUT);
}

/* The longest names anywhere: every line stays whole and within its limit. */
static void longest_lines(void **state)
{
	static char path[4096];
	struct world w;
	size_t n;
	const struct arch *rows = arch_rows(&n);

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	for (enum cause c = CAUSE_NO_EMULATOR; c < CAUSE_N; c++) {
		if (c == CAUSE_CONFIG || cause_is_choice(c))
			continue;
		world_init(&w, "mipsn32el");
		w.f.n_chain = FACTS_CHAIN;
		for (size_t i = 0; i < FACTS_CHAIN; i++) {
			w.f.chain[i] = w.f.chain[0];
			w.f.chain[i].path = path;
			w.f.chain[i].volume = path;
		}
		w.f.loader = w.f.emulator = w.f.emulator_loader = w.f.chain[0];
		w.f.other_loader = "/lib64/ld-linux-loongarch-lp64d.so.1";
		w.f.rival = &w.entries[0];
		w.f.declared =
			(struct platform){ "linux", "aaaaaaaaaaaaaaaaaaaaaaa", "vvvvvvvvvvvvvvv" };
		w.settings.wanted = w.f.declared;
		w.f.seccomp.blocked = "rt_sigprocmask";
		w.f.memory_max = UINT64_MAX;
		memset(w.entries[0].name, 'n', sizeof(w.entries[0].name) - 1);
		memset(w.entries[0].interpreter, 'i', sizeof(w.entries[0].interpreter) - 1);
		for (size_t i = 1; i < 40; i++)
			w.entries[i] = handler("qemu", rows[i].name);
		w.binfmt.n = 40;
		w.p = (struct plan){ .handler = &w.entries[0], .guest = named("mipsn32el") };
		diagnosis_line(&w.f, &w.p, c, w.line);
		if (strlen(w.line) >= DIAGNOSIS_MAX)
			fail_msg("%d: %s", c, w.line);
		assert_non_null(strstr(w.line, ". Fix: "));
		assert_true(str_ends(w.line, "."));
		assert_null(strpbrk(w.line, "{}\n"));
	}
}

/* What an image author writes cannot break the line. */
static void hostile_names(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "s390x");
	w.f.chain[0].path = "/a\n\r\x1b[31m\xff\xc3(\xe2\x82\xac\xed\xa0\x80\xc2\x85{node}";
	expect_refusal(&w, CAUSE_NO_EMULATOR, NULL);
	assert_non_null(strstr(w.line, ": /a???[31m?"
				       "?(\xe2\x82\xac?????{node} is linux/s390x"));
}

static void every_cause_has_a_row(void **state)
{
	(void)state;
	for (enum cause c = CAUSE_NO_EMULATOR; c < CAUSE_N; c++)
		assert_non_null(cause_row(c)->code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(native),
		cmocka_unit_test(emulated),
		cmocka_unit_test(no_emulator),
		cmocka_unit_test(disabled),
		cmocka_unit_test(interpreter_in_the_image),
		cmocka_unit_test(pinned_interpreter),
		cmocka_unit_test(no_table),
		cmocka_unit_test(hidden),
		cmocka_unit_test(header_not_matched),
		cmocka_unit_test(no_32bit),
		cmocka_unit_test(abi_mismatch),
		cmocka_unit_test(unknown_machine),
		cmocka_unit_test(loaders),
		cmocka_unit_test(loaders_of_guests),
		cmocka_unit_test(processors_of_guests),
		cmocka_unit_test(asked_emulators),
		cmocka_unit_test(declared_levels_of_guests),
		cmocka_unit_test(levels_to_ask_for),
		cmocka_unit_test(models_of_guests),
		cmocka_unit_test(emulators_of_other_makers),
		cmocka_unit_test(advice_about_other_makers),
		cmocka_unit_test(a_choice_that_is_covered),
		cmocka_unit_test(go_programs),
		cmocka_unit_test(dotnet_programs),
		cmocka_unit_test(hooks),
		cmocka_unit_test(other_systems),
		cmocka_unit_test(handlers_behind_scripts),
		cmocka_unit_test(arm_abi_by_loader),
		cmocka_unit_test(processor_levels),
		cmocka_unit_test(pages),
		cmocka_unit_test(scripts),
		cmocka_unit_test(files_nobody_runs),
		cmocka_unit_test(other_handlers),
		cmocka_unit_test(access_to_files),
		cmocka_unit_test(missing_programs_are_the_engines),
		cmocka_unit_test(wanted_platform),
		cmocka_unit_test(never),
		cmocka_unit_test(private_emulators),
		cmocka_unit_test(seccomp),
		cmocka_unit_test(cpu_model),
		cmocka_unit_test(warnings),
		cmocka_unit_test(longest_lines),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(every_cause_has_a_row),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
