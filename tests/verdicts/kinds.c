/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "runtime/arch/table.h"
#include "tests/verdicts/verdicts.h"

#define PICK(t, list) (list)[pick(t, ARRAY_SIZE(list))]

/* The sum of all values of all fields, and the field and value that number @n of them is. */
static unsigned int singles(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < elf_fields(); i++)
		n += (unsigned int)elf_values(i);
	return n;
}

static void set_single(struct trial *t, struct elf *e, unsigned int n)
{
	size_t field = 0;

	for (n %= singles(); n >= elf_values(field); field++)
		n -= (unsigned int)elf_values(field);
	elf_set(e, field, n, t->label, sizeof(t->label));
}

static void set_random(struct trial *t, struct elf *e)
{
	size_t field = pick(t, elf_fields());

	elf_set(e, field, pick(t, elf_values(field)), t->label, sizeof(t->label));
}

/* One field after the other, each with all of its values; then pairs of them, then more. */
static void vary(struct trial *t, struct elf *e, unsigned int variant)
{
	unsigned int all = singles(), extra = variant / all;

	set_single(t, e, variant * 37); /* so that a short run sees all fields */
	for (unsigned int i = 0; i < extra && i < 3; i++)
		set_random(t, e);
}

static enum machine usable(enum machine m)
{
	return machine_usable(m) ? m : MACHINE_NODE;
}

/* --- programs of the node ------------------------------------------------------------------ */

static void native_static(struct trial *t, unsigned int variant)
{
	enum machine m = usable(variant % 3 == 2 ? MACHINE_SISTER : MACHINE_NODE);
	static struct elf e;

	elf_make(&e, m, NULL, RAN_PROGRAM);
	if (pick(t, 4) == 0) {
		e.bytes[16] = ET_DYN;
		label(t, "PIE ");
	}
	label(t, "machine %d ", (int)m);
	vary(t, &e, variant / 3 + variant % 3 * 5);
	put_elf(t, "bin/x", &e, 0755);
}

static void native_dynamic(struct trial *t, unsigned int variant)
{
	enum machine m = usable(variant % 4 == 3 ? MACHINE_SISTER : MACHINE_NODE);
	static struct elf e;

	elf_make(&e, m, "/lib/ld.so", RAN_PROGRAM);
	vary(t, &e, variant);
	put_elf(t, "bin/x", &e, 0755);
	put_loader(t, "lib/ld.so", m);
}

static void loader_varied(struct trial *t, unsigned int variant)
{
	enum machine m = usable(variant % 4 == 3 ? MACHINE_SISTER : MACHINE_NODE);
	static struct elf e;

	elf_make(&e, m, "/lib/ld.so", RAN_PROGRAM);
	put_elf(t, "bin/x", &e, 0755);
	elf_make_loader(&e, m);
	vary(t, &e, variant);
	put_elf(t, "lib/ld.so", &e, 0755);
}

/* A loader that is there in another form than the usual, or is not. */
static void loader_forms(struct trial *t, unsigned int variant)
{
	static const char *const names[] = { "/lib/ld.so",  "lib/ld.so",   "ld.so",
					     "./lib/ld.so", "/lib//ld.so", "/lib/../lib/ld.so",
					     "/lib/ld.so/", "/lib",	   "/",
					     "/link" };
	const char *name = variant % 2 ? PICK(t, names) : names[0];
	static struct elf e;

	elf_make(&e, MACHINE_NODE, name, RAN_PROGRAM);
	put_elf(t, "bin/x", &e, variant % 29 == 28 ? 0111 : 0755);
	label(t, "PT_INTERP %s, form %u ", name, variant % 14);
	tree_link(&t->tree, "link", "/lib/ld.so");
	if (variant % 5 == 4)
		t->cwd = "/lib";
	switch (variant % 14) {
	case 0:
		tree_node(&t->tree, "lib", S_IFDIR);
		break;
	case 1:
		tree_node(&t->tree, "lib/ld.so", S_IFDIR);
		break;
	case 2:
		tree_node(&t->tree, "lib/ld.so", S_IFIFO);
		break;
	case 3:
		tree_text(&t->tree, "lib/ld.so", "#!/bin/x\n");
		break;
	case 4:
		tree_file(&t->tree, "lib/ld.so", t->label, 0, 0755);
		break;
	case 5:
		tree_file(&t->tree, "lib/ld.so", t->label, sizeof(t->label), 0755);
		break;
	case 6:
		put_loader(t, "lib/ld.so", usable(MACHINE_SISTER));
		break;
	case 7:
		put_loader(t, "lib/ld.so", MACHINE_FOREIGN);
		break;
	case 8:
		tree_link(&t->tree, "lib/ld.so", "ld.so");
		break;
	case 9:
		elf_make(&e, MACHINE_NODE, "/lib/nothing", RAN_PROGRAM);
		put_elf(t, "lib/ld.so", &e, 0755);
		break;
	case 10:
		elf_make_loader(&e, MACHINE_NODE);
		put_elf(t, "lib/ld.so", &e, 0644);
		break;
	case 11:
		put_loader(t, "usr/lib/real", MACHINE_NODE);
		tree_link(&t->tree, "lib/ld.so", "../usr/lib/real");
		break;
	case 12:
		put_loader(t, "usr/lib/ld.so", MACHINE_NODE);
		tree_link(&t->tree, "lib", "usr/lib");
		break;
	default:
		put_loader(t, "lib/ld.so", MACHINE_NODE);
	}
}

/* The least that the kernel takes: headers that overlap, in a file shorter than a header. */
static void tiny(struct trial *t, unsigned int variant)
{
	uint8_t b[64] = { 0x7f, 'E', 'L', 'F', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0 };
	size_t size = 45 + variant % 8;

	/* The program header begins at byte 4: PT_LOAD of the whole file at 0x10000. */
	memset(b + 4, 0, 12);
	b[4] = 1;		 /* p_type, and the class */
	b[8] = 0;		 /* p_offset */
	b[14] = 1;		 /* p_vaddr 0x10000 */
	b[20] = 0x20, b[22] = 1; /* p_filesz: e_version */
	b[24] = 0x20, b[26] = 1; /* p_memsz and e_entry: 0x10020 */
	b[28] = 5;		 /* p_flags and e_phoff: at 4 */
	b[28] = 4;
	/* bl = 42; al = 1; int 0x80: over e_shoff, e_flags and e_ehsize */
	memcpy(b + 32, "\xb3\x2a\x31\xc0\x40\xcd\x80", 7);
	b[42] = 0x20; /* e_phentsize */
	b[44] = 1;    /* e_phnum */
	if (variant % 3 == 1)
		b[variant / 3 % 45] ^= (uint8_t)(1u << pick(t, 8));
	label(t, "%zu bytes ", size);
	tree_file(&t->tree, "bin/x", b, size, 0755);
}

/* --- scripts ------------------------------------------------------------------------------- */

static void script_chain(struct trial *t, unsigned int variant)
{
	static const char *const marks[] = { "", " ", "\t", "  -x", " \t -x -y " };
	unsigned int depth = variant % 8;
	char name[32], text[64];

	label(t, "%u scripts, end %u ", depth, variant / 8 % 4);
	for (unsigned int i = 0; i < depth; i++) {
		(void)str_fmt(name, sizeof(name), i ? "bin/%u" : "bin/x", i);
		(void)str_fmt(text, sizeof(text), "#!%s/bin/%u%s\n", i % 2 ? " " : "", i + 1,
			      PICK(t, marks));
		tree_text(&t->tree, name, text);
	}
	(void)str_fmt(name, sizeof(name), depth ? "bin/%u" : "bin/x", depth);
	switch (variant / 8 % 4) {
	case 0:
		put_program(t, name, MACHINE_NODE, RAN_PROGRAM);
		break;
	case 1: /* a handler is one more */
		put_program(t, name, MACHINE_FOREIGN, RAN_EMULATED);
		put_host_program(t, "emulator", MACHINE_NODE, RAN_HANDLER);
		(void)str_fmt(t->label + 400, 100, ":e:M:18:\\xb7\\x00::%s/emulator:F",
			      t->host_dir);
		handler_register(t, t->label + 400);
		break;
	case 2:
		tree_text(&t->tree, name, "no script\n");
		break;
	default:
		break; /* nothing there */
	}
}

static void script_line(struct trial *t, unsigned int variant)
{
	static const struct {
		const char *text;
		size_t size;
	} lines[] = {
#define LINE(s) { s, sizeof(s) - 1 }
		LINE("#!/bin/y"),
		LINE("#!/bin/y\r\n"),
		LINE("#! /bin/y\n"),
		LINE("#!\t/bin/y\t\n"),
		LINE("#!\n"),
		LINE("#!"),
		LINE("#! \n"),
		LINE("#!\0/bin/y\n"),
		LINE("#!/bin/y\0 x\n"),
		LINE("#!bin/y\n"),
		LINE("#!y\n"),
		LINE("#!./y\n"),
		LINE("#!/bin\n"),
		LINE("#!/bin/none\n"),
		LINE("#!/bin/nox\n"),
		LINE("#!/bin/y -a b\r\n"),
		LINE("# !/bin/y\n"),
		LINE("\xef\xbb\xbf#!/bin/y\n"),
		LINE(" #!/bin/y\n"),
		LINE("#!/bin/y #\n"),
		LINE("#!/bin/fifo\n"),
		LINE("#!/bin/loop\n"),
		LINE("#!/bin/y/\n"),
		LINE("#!/bin/text\n"),
		LINE("#!/bin/foreign\n"),
		LINE("#!/bin/empty\n"),
		LINE("#!/bin/x\n"),
		LINE("echo no script\n"),
		LINE(""),
		LINE("\n#!/bin/y\n"),
		LINE("#!/bin/y\n\0\0\x01"),
		LINE("#!//bin//y\n"),
		LINE("#!/bin/../bin/y\n"),
	};
	size_t i = variant % ARRAY_SIZE(lines);

	label(t, "line %zu ", i);
	tree_file(&t->tree, "bin/x", lines[i].text, lines[i].size,
		  variant % 41 == 40 ? 0644 : 0755);
	put_program(t, "bin/y", MACHINE_NODE, RAN_PROGRAM);
	put_program(t, "bin/foreign", MACHINE_FOREIGN, RAN_EMULATED);
	tree_file(&t->tree, "bin/nox", "x", 1, 0644);
	tree_file(&t->tree, "bin/empty", "x", 0, 0755);
	tree_text(&t->tree, "bin/text", "text\n");
	tree_node(&t->tree, "bin/fifo", S_IFIFO);
	tree_link(&t->tree, "bin/loop", "loop");
	if (variant / ARRAY_SIZE(lines) % 2)
		t->cwd = "/bin";
}

/* Names that end at and around the last byte the kernel reads. */
static void script_long(struct trial *t, unsigned int variant)
{
	char text[512], name[300];
	size_t length = 244 + variant % 14;
	static const char *const ends[] = { "\n", "", " ", " \n", "\t-x\n", "\n\n" };
	const char *end = ends[variant / 14 % ARRAY_SIZE(ends)];

	memset(name, 'a', sizeof(name));
	memcpy(name, "/bin/", 5);
	for (size_t i = 5; i < length; i += 100)
		name[i] = '/';
	name[length] = '\0';
	(void)str_fmt(text, sizeof(text), "#!%s%s", name, end);
	label(t, "name of %zu bytes, end %u ", length, variant / 14 % 6);
	tree_text(&t->tree, "bin/x", text);
	put_program(t, name + 1, MACHINE_NODE, RAN_PROGRAM);
}

/* --- handlers ------------------------------------------------------------------------------ */

static const char *const flag_sets[] = { "",   "F",  "P",  "O",	 "C",	"PF",
					 "OF", "CF", "PC", "PO", "OCF", "POCF" };

/* What the handler's interpreter is. */
enum emulator {
	EMULATOR_GOOD,
	EMULATOR_MISSING,
	EMULATOR_NO_X,
	EMULATOR_DIRECTORY,
	EMULATOR_EMPTY,
	EMULATOR_TEXT,
	EMULATOR_SCRIPT,
	EMULATOR_FOREIGN,
	EMULATOR_DYNAMIC,
	EMULATOR_SELF,
	EMULATOR_DAMAGED,
	EMULATOR_N,
};

static void make_emulator(struct trial *t, enum emulator kind, const char *path)
{
	static struct elf e;

	put_host(t, "run", "", 0, 0644);
	elf_make(&e, MACHINE_NODE, NULL, RAN_HANDLER);
	switch (kind) {
	case EMULATOR_GOOD:
	case EMULATOR_N:
		break;
	case EMULATOR_MISSING:
		return;
	case EMULATOR_NO_X:
		put_host(t, "emulator", e.bytes, e.size, 0644);
		put_elf(t, path + 1, &e, 0644);
		return;
	case EMULATOR_DIRECTORY:
		tree_node(&t->tree, path + 1, S_IFDIR);
		put_host(t, "emulator/x", "", 0, 0644);
		return;
	case EMULATOR_EMPTY:
		e.size = 0;
		break;
	case EMULATOR_TEXT:
		memcpy(e.bytes, "text\n", 5);
		e.size = 5;
		break;
	case EMULATOR_SCRIPT:
		memcpy(e.bytes, "#!/bin/good\n", 12);
		e.size = 12;
		if (pick(t, 3))
			put_program(t, "bin/good", pick(t, 3) ? MACHINE_NODE : MACHINE_FOREIGN,
				    RAN_HANDLER);
		break;
	case EMULATOR_FOREIGN:
		elf_make(&e, MACHINE_FOREIGN, NULL, RAN_HANDLER);
		e.bytes[18] = 0xf3; /* of yet another machine */
		break;
	case EMULATOR_SELF:
		elf_make(&e, MACHINE_FOREIGN, NULL, RAN_HANDLER);
		break;
	case EMULATOR_DYNAMIC:
		elf_make(&e, MACHINE_NODE, "/lib/ld.so", RAN_HANDLER);
		if (pick(t, 2))
			put_loader(t, "lib/ld.so", MACHINE_NODE);
		break;
	case EMULATOR_DAMAGED:
		e.bytes[54] = 7;
		break;
	}
	put_host(t, "emulator", e.bytes, e.size, 0755);
	put_elf(t, path + 1, &e, 0755);
}

static void handler_states(struct trial *t, unsigned int variant)
{
	const char *flags = flag_sets[variant % ARRAY_SIZE(flag_sets)];
	enum emulator kind = variant / ARRAY_SIZE(flag_sets) % EMULATOR_N;
	unsigned int state = variant < 200 ? variant % 7 == 6 : (unsigned int)pick(t, 4);
	char line[PATH_MAX + 64], path[PATH_MAX];

	/* Without flag F the same path is looked for in the container. */
	(void)str_fmt(path, sizeof(path), "%s/emulator", t->host_dir);
	make_emulator(t, kind, path);
	(void)str_fmt(line, sizeof(line), ":e:M:18:\\xb7\\x00::%s:%s", path, flags);
	label(t, "flags %s, emulator %d, state %u ", flags, (int)kind, state);
	handler_register(t, line);
	put_program(t, "bin/y", MACHINE_FOREIGN, RAN_EMULATED);
	if (variant % 5 == 4)
		tree_text(&t->tree, "bin/x", "#!/bin/y\n");
	else
		tree_link(&t->tree, "bin/x", "y");
	if (strstr(t->label, "not registered"))
		return;
	if (state == 1)
		handler_switch(t, "e", "0");
	if (state == 2)
		handler_switch(t, "status", "0");
}

/* Several handlers, by magic and by extension, in front of programs of any kind. */
static void handler_matches(struct trial *t, unsigned int variant)
{
	static const char *const rules[] = {
		"M:15:\\xca:",
		"M:18:\\xb7\\x00:",
		"M:14:\\x00\\xca:",
		"E::jar:",
		"E::x:",
		"M:0:#!:",
		"M:0:PK:",
		"M:14:\\x7f\\xca:\\x00\\xff",
		"E::X:",
		"M:0:MZqFpD:",
		"M:13:\\x00\\x00\\xca:",
	};
	static const char *const names[] = { "bin/x.jar", "bin/x",  "bin/x.x",	  "bin/x.X",
					     "bin/.x",	  "bin/x.", "bin/x.jar.x" };
	const char *name = PICK(t, names);
	char line[PATH_MAX + 64];
	static struct elf e;

	put_host_program(t, "emulator", MACHINE_NODE, RAN_HANDLER);
	for (uint64_t i = 0, n = 1 + pick(t, 3); i < n; i++) {
		const char *rule = PICK(t, rules);

		(void)str_fmt(line, sizeof(line), ":h%u:%s:%s/emulator:%s", (unsigned int)i, rule,
			      t->host_dir, pick(t, 3) ? "F" : "");
		handler_register(t, line);
		label(t, "%s ", rule);
	}
	label(t, "file %s ", name);
	(void)str_fmt(line, sizeof(line), "/%s", name);
	switch (variant % 5) {
	case 0: /* marked, so that no rule matches the programs of this machine */
		elf_make(&e, MACHINE_NODE, NULL, RAN_PROGRAM);
		e.bytes[15] = 0xca;
		put_elf(t, name, &e, 0755);
		break;
	case 1:
		put_program(t, name, MACHINE_FOREIGN, RAN_EMULATED);
		break;
	case 2:
		tree_text(&t->tree, name, "PK\003\004");
		break;
	case 3:
		tree_text(&t->tree, name, "MZqFpD='\n");
		break;
	default:
		tree_text(&t->tree, name, "#!/bin/y\n");
		put_program(t, "bin/y", MACHINE_NODE, RAN_PROGRAM);
	}
	t->args[0] = strdup(line);
}

/* --- a real emulator ----------------------------------------------------------------------- */

#if defined(__x86_64__)
#define QEMU "aarch64"
#define QEMU_MATCH "\\xb7"
#else
#define QEMU "x86_64"
#define QEMU_MATCH "\\x3e"
#endif

static void use_qemu(struct trial *t)
{
	handler_register(t,
			 ":qemu-" QEMU ":M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00"
			 "\\x00\\x00\\x00\\x02\\x00" QEMU_MATCH "\\x00:"
			 "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff"
			 "\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:/usr/bin/qemu-" QEMU "-static:F");
}

static void emulated_static(struct trial *t, unsigned int variant)
{
	static struct elf e;

	use_qemu(t);
	elf_make(&e, MACHINE_FOREIGN, NULL, RAN_EMULATED);
	vary(t, &e, variant * 7);
	put_elf(t, "bin/x", &e, 0755);
}

static void emulated_dynamic(struct trial *t, unsigned int variant)
{
	static const char *const names[] = { "/lib/ld.so", "lib/ld.so", "/lib/../lib/ld.so",
					     "/link",	   "/lib",	"/none/ld.so" };
	const char *name = variant % 3 ? PICK(t, names) : names[0];
	static struct elf e;

	use_qemu(t);
	elf_make(&e, MACHINE_FOREIGN, name, RAN_EMULATED);
	if (variant % 4 == 3)
		vary(t, &e, variant);
	put_elf(t, "bin/x", &e, 0755);
	tree_link(&t->tree, "link", "lib/ld.so");
	label(t, "PT_INTERP %s, form %u ", name, variant % 11);
	switch (variant % 11) {
	case 0:
		break;
	case 1:
		tree_node(&t->tree, "lib/ld.so", S_IFDIR);
		break;
	case 2:
		put_loader(t, "lib/ld.so", MACHINE_NODE);
		break;
	case 3:
		tree_text(&t->tree, "lib/ld.so", "#!/bin/x\n");
		break;
	case 4:
		elf_make_loader(&e, MACHINE_FOREIGN);
		put_elf(t, "lib/ld.so", &e, 0644);
		break;
	case 5: /* in the prefix that is asked for */
		put_loader(t, "prefix/lib/ld.so", MACHINE_FOREIGN);
		t->env[1] = "QEMU_LD_PREFIX=/prefix";
		break;
	case 6:
		put_loader(t, "prefix/lib/ld.so", MACHINE_NODE);
		put_loader(t, "lib/ld.so", MACHINE_FOREIGN);
		t->env[1] = "QEMU_LD_PREFIX=/prefix";
		break;
	case 7: /* in the one this qemu was built with */
		put_loader(t, "etc/qemu-binfmt/" QEMU "/lib/ld.so", MACHINE_FOREIGN);
		break;
	case 8:
		elf_make_loader(&e, MACHINE_FOREIGN);
		vary(t, &e, variant);
		put_elf(t, "lib/ld.so", &e, 0755);
		break;
	default:
		put_loader(t, "lib/ld.so", MACHINE_FOREIGN);
	}
}

/* --- paths --------------------------------------------------------------------------------- */

static void path_forms(struct trial *t, unsigned int variant)
{
	static const char *const forms[] = {
		"/bin/x",   "//bin//x", "/bin/./x",  "/bin/../bin/x", "./bin/x", "bin/x",
		"./x",	    "../bin/x", "/bin/x/",   "/bin/x/.",      "/bin",	 "/",
		"/link/x",  "/loop",	"/bin/fifo", "/bin/none",     "/up/x",	 "/abs",
		"/rel",	    "/dangle",	"/bin/nox",  "/bin/x/y",      "..",	 ".",
		"/chain39", "/chain40", "/chain41",  "/deep/x",	      "/noread", "/sock",
	};
	const char *form = forms[variant % ARRAY_SIZE(forms)];
	char name[32], target[32];

	t->args[0] = form;
	if (variant / ARRAY_SIZE(forms) % 2)
		t->cwd = "/bin";
	label(t, "%s in %s ", form, t->cwd);
	put_program(t, "bin/x", MACHINE_NODE, RAN_PROGRAM);
	put_program(t, "noread", MACHINE_NODE, RAN_PROGRAM);
	ASSERT(fchmodat(t->tree.root, "noread", 0111, 0) == 0);
	tree_file(&t->tree, "bin/nox", "x", 1, 0644);
	tree_node(&t->tree, "bin/fifo", S_IFIFO);
	tree_node(&t->tree, "sock", S_IFSOCK);
	tree_link(&t->tree, "link", "bin");
	tree_link(&t->tree, "loop", "loop");
	tree_link(&t->tree, "up", "../../../bin");
	tree_link(&t->tree, "abs", "/bin/x");
	tree_link(&t->tree, "rel", "bin/x");
	tree_link(&t->tree, "dangle", "nowhere");
	tree_link(&t->tree, "deep", "bin/../link/../bin");
	for (unsigned int i = 1; i <= 41; i++) {
		(void)str_fmt(name, sizeof(name), "chain%u", i);
		(void)str_fmt(target, sizeof(target), "chain%u", i - 1);
		tree_link(&t->tree, name, i > 1 ? target : "bin/x");
	}
}

static void path_search(struct trial *t, unsigned int variant)
{
	static const char *const paths[] = {
		"PATH=/a:/b",
		"PATH=/b:/a",
		"PATH=/none:/b",
		"PATH=/dir:/nox:/b",
		"PATH=",
		"PATH=/foreign:/b",
		"PATH=/b:/foreign",
		"PATH=/nox",
		"PATH=/none",
		"X=y",
		"PATH=/empty:/b",
		"PATH=/loop:/b",
		"PATH=/fifo:/b",
		"PATH=/link",
		"PATH=/b/x:/b",
	};

	t->args[0] = "x";
	t->env[0] = paths[variant % ARRAY_SIZE(paths)];
	label(t, "%s ", t->env[0]);
	put_program(t, "b/x", MACHINE_NODE, RAN_PROGRAM);
	tree_node(&t->tree, "dir/x", S_IFDIR);
	tree_node(&t->tree, "fifo/x", S_IFIFO);
	tree_file(&t->tree, "nox/x", "x", 1, 0644);
	tree_file(&t->tree, "empty/x", "x", 0, 0755);
	put_program(t, "foreign/x", MACHINE_FOREIGN, RAN_EMULATED);
	tree_link(&t->tree, "loop/x", "x");
	tree_link(&t->tree, "link", "b");
	if (variant / ARRAY_SIZE(paths) % 2)
		put_program(t, "usr/bin/x", MACHINE_NODE, RAN_PROGRAM);
}

/* What is in a file that is no program. */
static void other_files(struct trial *t, unsigned int variant)
{
	static const struct {
		const char *bytes;
		size_t size;
	} files[] = {
		LINE("<!DOCTYPE html>\n<html>Not Found</html>\n"),
		LINE("<?xml version=\"1.0\"?>\n<Error/>\n"),
		LINE("{\"message\":\"Not Found\"}\n"),
		LINE("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n"),
		LINE("import sys\nprint(1)\n"),
		LINE("\xff\xfe#\0!\0/\0b\0i\0n\0"),
		LINE("\xfe\xff\0#\0!\0/\0b"),
		LINE("MZ\x90\0\3\0\0\0"),
		LINE("MZqFpD='\nx"),
		LINE("\0asm\1\0\0\0"),
		LINE("PK\3\4\24\0"),
		LINE("\xca\xfe\xba\xbe\0\0\0\x3d"),
		LINE("\xca\xfe\xba\xbe\0\0\0\2"),
		LINE("\xcf\xfa\xed\xfe\7\0\0\1"),
		LINE("\x1f\x8b\10\0"),
		LINE("\0\0\0\0\0\0\0\0"),
		LINE("\x7f"
		     "EL"),
		LINE("\x7f"
		     "ELF"),
		LINE("Not Found"),
		LINE("\n"),
		LINE("\1\2\3\4\5"),
	};
	size_t i = variant % ARRAY_SIZE(files);

	label(t, "file %zu ", i);
	tree_file(&t->tree, "bin/x", files[i].bytes, files[i].size, 0755);
}

/* --- mounts and hooks: run by an engine ---------------------------------------------------- */

static void add(struct buf *b, const char *text)
{
	struct err err;

	ASSERT(buf_add(b, text, strlen(text), &err) == 0);
}

static void add_mount(struct trial *t, const char *type, const char *source, const char *place,
		      const char *options)
{
	char text[PATH_MAX * 2];

	(void)str_fmt(
		text, sizeof(text),
		"%s{\"destination\":\"%s\",\"type\":\"%s\",\"source\":\"%s\",\"options\":[%s]}",
		t->mounts.len ? "," : "", place, type, source, options);
	add(&t->mounts, text);
	label(t, "%s at %s (%s) ",
	      source + (str_after(source, t->host_dir) ? strlen(t->host_dir) : 0), place, options);
}

static void mounts_mixed(struct trial *t, unsigned int variant)
{
	static const char *const places[] = { "/a",    "/a/b",	    "/a/b/x",  "/mnt",
					      "/link", "/a/b/../b", "/new/dir" };
	static const char *const sources[] = { "/good", "/empty", "/foreign", "/good/x",
					       "/foreign/x" };
	static const char *const options[] = {
		"\"bind\"",
		"\"rbind\"",
		"\"rbind\",\"ro\"",
		"\"rbind\",\"noexec\"",
		"\"rbind\",\"noexec\",\"exec\"",
		"\"rbind\",\"exec\",\"noexec\"",
		"\"bind\",\"nosuid\",\"nodev\"",
		"\"rbind\",\"rprivate\",\"rw\"",
	};
	static const char *const programs[] = { "/a/b/x",    "/a/b/x",	"/a/x",	     "/mnt/x",
						"/link/b/x", "/link/x", "/new/dir/x" };
	char source[PATH_MAX + 16];

	put_host_program(t, "good/x", MACHINE_NODE, RAN_PROGRAM);
	put_host_program(t, "good/b/x", MACHINE_NODE, RAN_PROGRAM);
	put_host_program(t, "foreign/x", MACHINE_FOREIGN, RAN_EMULATED);
	put_host_program(t, "foreign/b/x", MACHINE_FOREIGN, RAN_EMULATED);
	put_host(t, "empty/none", "", 0, 0644);
	put_host(t, "empty/b/none", "", 0, 0644);
	put_program(t, "a/b/x", variant % 2 ? MACHINE_NODE : MACHINE_FOREIGN,
		    variant % 2 ? RAN_PROGRAM : RAN_EMULATED);
	put_program(t, "a/x", MACHINE_NODE, RAN_PROGRAM);
	tree_node(&t->tree, "mnt", S_IFDIR);
	tree_link(&t->tree, "link", "a");
	t->args[0] = PICK(t, programs);
	label(t, "%s with ", t->args[0]);
	for (uint64_t i = 0, n = 1 + pick(t, 4); i < n; i++) {
		const char *place = PICK(t, places), *from = PICK(t, sources);
		bool file = str_ends(from, "/x");

		if (file != str_ends(place, "/x"))
			from = str_ends(place, "/x") ? "/good/x" : "/good";
		(void)str_fmt(source, sizeof(source), "%s%s", t->host_dir, from);
		if (pick(t, 6) == 0 && !str_ends(place, "/x"))
			add_mount(t, "tmpfs", "tmpfs", place, "\"mode=755\"");
		else
			add_mount(t, "bind", source, place, PICK(t, options));
	}
}

/* A hook that puts a good program where a bad one is, or the other way round. */
static void hooks_change(struct trial *t, unsigned int variant)
{
	static const char *const names[] = { "prestart",       "createRuntime", "createContainer",
					     "startContainer", "poststart",	"poststop" };
	static const char *const before[] = { "empty", "foreign", "missing", "text", "no x" };
	const char *name = names[variant % ARRAY_SIZE(names)];
	unsigned int was = variant / ARRAY_SIZE(names) % 5;
	char text[PATH_MAX * 3];

	label(t, "%s over a file that is %s ", name, before[was]);
	put_program(t, "bin/good", MACHINE_NODE, RAN_PROGRAM);
	if (was == 0)
		tree_file(&t->tree, "bin/x", "", 0, 0755);
	else if (was == 1)
		put_program(t, "bin/x", MACHINE_FOREIGN, RAN_EMULATED);
	else if (was == 3)
		tree_text(&t->tree, "bin/x", "echo no script\n");
	else if (was == 4)
		tree_file(&t->tree, "bin/x", "#!/bin/good\n", 12, 0644);
	/* startContainer runs inside, and there is no shell: the program itself does. */
	if (str_eq(name, "startContainer"))
		(void)str_fmt(text, sizeof(text), "\"%s\":[{\"path\":\"/bin/copy\"}]", name);
	else
		(void)str_fmt(text, sizeof(text),
			      "\"%s\":[{\"path\":\"/bin/cp\",\"args\":[\"cp\",\"-f\","
			      "\"%s/rootfs/bin/good\",\"%s/rootfs/bin/x\"]}]",
			      name, t->tree.path, t->tree.path);
	if (!str_eq(name, "startContainer"))
		add(&t->hooks, text);
}

static const struct trial_kind kinds[] = {
	{ "programs, field by field", native_static, 22, false },
	{ "dynamic programs, field by field", native_dynamic, 14, false },
	{ "loaders, field by field", loader_varied, 10, false },
	{ "loaders of every form", loader_forms, 5, false },
	{ "the least a program can be", tiny, 3, false },
	{ "chains of scripts", script_chain, 6, false },
	{ "lines of scripts", script_line, 7, false },
	{ "lines as long as can be", script_long, 4, false },
	{ "handlers in every state", handler_states, 12, false },
	{ "handlers that match", handler_matches, 6, false },
	{ "emulated programs, field by field", emulated_static, 8, false },
	{ "emulated dynamic programs", emulated_dynamic, 8, false },
	{ "forms of paths", path_forms, 5, false },
	{ "searched in PATH", path_search, 3, false },
	{ "files that are no programs", other_files, 3, false },
	{ "mounts", mounts_mixed, 5, true },
	{ "hooks", hooks_change, 2, true },
};

const struct trial_kind *trial_kinds(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(kinds);
	return kinds;
}
