/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>

#include "tests/verdicts/trees/trees.h"

static uint8_t bytes[128 << 10];

/* Ways out of a root, to `secret` beside it or to anything of the host. */
static const char *const ways_out[] = {
	"../secret",
	"../../../../../../../../../../etc/passwd",
	"/../../secret",
	"/proc/self/root/etc/passwd",
	"/proc/1/exe",
	"../rootfs/../secret",
	"/dev/fd/4/secret",
	"./././../secret",
	"//..//..//secret",
	"/etc/passwd",
	"..",
	"/",
};

static const mode_t odd_nodes[] = { S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFDIR };

#define PICK(t, list) (list)[tree_random(t, ARRAY_SIZE(list))]

static void elf_head(struct tree *t, unsigned int variant)
{
	tree_file(t, "bin/x", bytes, elf_header(t, variant, bytes, 4096), 0755);
}

static void elf_table(struct tree *t, unsigned int variant)
{
	tree_file(t, "bin/x", bytes, elf_segments(t, variant, bytes, sizeof(bytes)), 0755);
}

/* PT_INTERP names something that is no loader. */
static void elf_loader(struct tree *t, unsigned int variant)
{
	static const char *const names[] = { "/lib/ld", "lib/ld",	 "",
					     "/",	"\n/lib\x1b[2J", "//lib/../lib/ld" };
	const char *name = variant % 2 ? PICK(t, ways_out) : PICK(t, names);

	tree_file(t, "bin/x", bytes, elf_with_interp(variant, name, bytes, sizeof(bytes)), 0755);
	if (variant % 3 == 0)
		tree_node(t, "lib/ld", PICK(t, odd_nodes));
	else if (variant % 3 == 1)
		tree_link(t, "lib/ld", PICK(t, ways_out));
	else
		tree_file(t, "lib/ld", bytes, elf_header(t, variant, bytes, 4096), 0644);
}

/* The loader of a usual foreign program, with a link on its way. */
static void elf_linked(struct tree *t, unsigned int variant)
{
	size_t n = elf_with_interp(variant + 1, "/lib/ld", bytes, sizeof(bytes));

	tree_file(t, "usr/lib/ld", bytes, n, 0755);
	tree_file(t, "bin/x", bytes, n, variant % 4 == 3 ? 04755 : 0755);
	tree_link(t, "lib", variant % 2 ? "usr/lib" : PICK(t, ways_out));
}

static void script_line(struct tree *t, unsigned int variant)
{
	static const char fill[] = "a /\t.\r-";
	size_t n = (size_t)1 << (6 + variant % 11); /* up to 64 KiB */

	memset(bytes, fill[tree_random(t, sizeof(fill) - 1)], n);
	memcpy(bytes, "#!", 2);
	if (variant % 3)
		memcpy(bytes + 2, "/bin/sh", 7);
	if (variant % 2)
		bytes[n - 1] = '\n';
	tree_file(t, "bin/x", bytes, n, 0755);
	tree_text(t, "bin/sh", variant % 5 ? "#!/bin/x\n" : "#!/bin/sh\n");
}

/* Interpreters of interpreters, in a circle or longer than the kernel follows. */
static void script_chain(struct tree *t, unsigned int variant)
{
	unsigned int length = 1 + variant % 9;
	char name[32], text[64];

	for (unsigned int i = 0; i < length; i++) {
		(void)str_fmt(name, sizeof(name), i ? "bin/%u" : "bin/x", i);
		(void)str_fmt(text, sizeof(text), "#! %s/bin/%u x\n", i % 2 ? "" : ".",
			      (i + 1) % (length + variant % 2));
		tree_text(t, name, text);
	}
}

static void script_nowhere(struct tree *t, unsigned int variant)
{
	char text[128];

	(void)str_fmt(text, sizeof(text), "#!%s -x\n",
		      variant % 2 ? PICK(t, ways_out) : "/bin/odd");
	tree_text(t, "bin/x", text);
	tree_node(t, "bin/odd", PICK(t, odd_nodes));
}

static void link_loop(struct tree *t, unsigned int variant)
{
	unsigned int length = 1 + variant * 7;
	char name[32], target[32];

	for (unsigned int i = 0; i < length; i++) {
		(void)str_fmt(name, sizeof(name), i ? "bin/%u" : "bin/x", i);
		(void)str_fmt(target, sizeof(target), variant % 2 ? "%u" : "/bin/%u", i + 1);
		tree_link(t, name, i + 1 < length ? target : variant % 3 ? "/bin/x" : "nothing");
	}
}

/* Each link is two of the next: short to write, endless to walk. */
static void link_bomb(struct tree *t, unsigned int variant)
{
	char name[32], target[128];

	for (unsigned int i = 0; i < 20 + variant; i++) {
		(void)str_fmt(name, sizeof(name), i ? "%u" : "bin", i);
		(void)str_fmt(target, sizeof(target), "/%u/../%u/../%u", i + 1, i + 1, i + 1);
		tree_link(t, name, target);
	}
	(void)str_fmt(name, sizeof(name), "%u", 20 + variant);
	tree_node(t, name, S_IFDIR);
}

static void link_long(struct tree *t, unsigned int variant)
{
	char target[PATH_MAX] = "";

	memset(target,
	       variant % 3 == 0	  ? '/'
	       : variant % 3 == 1 ? '.'
				  : 'a',
	       PATH_MAX - 1 - tree_random(t, 64));
	for (size_t i = 0; variant % 3 && i < strlen(target); i += 3)
		target[i] = '/';
	tree_link(t, "bin/x", target);
	tree_link(t, "lib", target);
}

static void link_out(struct tree *t, unsigned int variant)
{
	tree_link(t, variant % 2 ? "bin" : "bin/x", ways_out[variant % ARRAY_SIZE(ways_out)]);
	if (variant % 3 == 0)
		tree_process(t, "secret", "/bin:/../..:../..:/proc/self/cwd:.");
	if (variant % 3 == 1)
		tree_process(t, ways_out[(variant + 1) % ARRAY_SIZE(ways_out)], NULL);
}

/* A PATH of many directories, each a long way to nothing. */
static void costly(struct tree *t, unsigned int variant)
{
	static char path[128 << 10], target[PATH_MAX];
	char name[32];
	/* Two that never end, and some that only take long: those are observed call by call. */
	size_t entries = variant < 2 ? sizeof(path) / 4 : 2 * variant;
	size_t length = variant < 2 ? 4000 : 4;

	for (size_t i = 0; i + 3 < sizeof(target); i += 2)
		memcpy(target + i, "./", 3);
	for (unsigned int i = 0; i < 39; i++) {
		(void)str_fmt(name, sizeof(name), i ? "%u" : "a", i);
		(void)str_fmt(target + length, 64, "/%u", i + 1);
		tree_link(t, name, target);
	}
	tree_node(t, "39", variant % 2 ? S_IFDIR : S_IFIFO);
	for (size_t i = 0; i < entries; i++)
		memcpy(path + 3 * i, "/a:", 4);
	tree_process(t, "x", path);
}

static void node(struct tree *t, unsigned int variant)
{
	tree_node(t, "bin/x", odd_nodes[variant % ARRAY_SIZE(odd_nodes)]);
	if (variant % 2)
		tree_process(t, "x", "/nothing:/bin:/bin/x:");
}

static void sparse(struct tree *t, unsigned int variant)
{
	size_t n = variant % 3 == 0   ? elf_header(t, 0, bytes, 4096)
		   : variant % 3 == 1 ? elf_segments(t, variant, bytes, sizeof(bytes))
				      : 0;

	tree_file(t, "bin/x", bytes, n, 0755);
	tree_sparse(t, "bin/x", (4ull << 30) + tree_random(t, 5) - 2);
}

static void noise(struct tree *t, unsigned int variant)
{
	static const char *const starts[] = {
		"MZ", "PK\3\4",	  "\xca\xfe\xba\xbe", "\xef\xbb\xbf#!", "#!",
		"#",  "\x1f\x8b", "\177EL",	      "\177ELF"
	};
	const char *start = PICK(t, starts);
	size_t n = variant % 4 ? tree_random(t, 600) : variant;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)tree_random(t, 256);
	if (variant % 2 && n > strlen(start))
		memcpy(bytes, start, strlen(start));
	tree_file(t, "bin/x", bytes, n, (mode_t)(variant % 5 ? 0755 : 0644));
}

/* Something real, cut and bent: this very program. */
static void bent(struct tree *t, unsigned int variant)
{
	CLEANUP_FD int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, sizeof(bytes));
	size_t keep = variant % 2 ? (size_t)n : tree_random(t, 2048);

	ASSERT(n > 4096);
	for (unsigned int i = 0; i < 1 + variant; i++)
		bytes[tree_random(t, 1024)] ^= (uint8_t)(1u << tree_random(t, 8));
	memcpy(bytes, "\177ELF", 4);
	tree_file(t, "bin/x", bytes, keep, 0755);
}

static void deep(struct tree *t, unsigned int variant)
{
	char path[PATH_MAX] = "", name[256];
	size_t n = variant % 2 ? 255 : 1;

	memset(name, 'd', n);
	name[n] = '\0';
	for (int i = 0; i < (n == 1 ? 900 : 13); i++)
		(void)str_fmt(path + strlen(path), sizeof(path) - strlen(path), "%s/", name);
	(void)str_fmt(path + strlen(path), sizeof(path) - strlen(path), "x");
	tree_text(t, path, "#!/bin/sh\n");
	tree_process(t, variant % 3 ? path : "x", path);
}

static void names(struct tree *t, unsigned int variant)
{
	static const char *const odd[] = { "/bin/\x01\x1b]0;x\x07",
					   "/bin/\n[error] x",
					   "/bin/ ",
					   "/bin/\"quoted\\",
					   "/bin/$(id)",
					   "-x",
					   "",
					   ".",
					   "/bin/crossarch[OK]: fine",
					   ("/bin/\xe2\x80\xae"
					    "gnp") };
	const char *name = odd[variant % ARRAY_SIZE(odd)];

	if (name[0] == '/')
		tree_file(t, name + 1, bytes, elf_with_interp(3, name, bytes, sizeof(bytes)), 0755);
	tree_process(t, name, NULL);
}

/* Mounts whose sources and places are odd, links among both. */
static void mounts(struct tree *t, unsigned int variant)
{
	static char more[96 << 10];
	static const char *const places[] = { "/bin",		"/",	    "/bin/x",	"/link/x",
					      "//bin/../bin",	"/bin/x/y", "relative", "",
					      "/proc/self/root" };
	static const char *const sources[] = { "volumes",
					       "volumes/fifo",
					       "volumes/out",
					       "volumes/none",
					       "volumes/link",
					       "volumes/file",
					       "" };
	size_t n = 0, count = variant % 6 == 5 ? 600 : 1 + tree_random(t, 8);

	tree_text(t, "../volumes/x", "#!/bin/y\n");
	tree_text(t, "../volumes/file", "\177ELF");
	tree_link(t, "../volumes/out", "../secret-not-there");
	tree_link(t, "../volumes/link", "../volumes");
	tree_node(t, "../volumes/fifo", S_IFIFO);
	tree_link(t, "link", PICK(t, ways_out));
	more[0] = '\0';
	for (size_t i = 0; i < count; i++, n = strlen(more))
		(void)str_fmt(more + n, sizeof(more) - n - 4,
			      "%s{\"destination\":\"%s\",\"type\":\"%s\",\"source\":\"%s\","
			      "\"options\":[\"rbind\",\"noexec\"]}",
			      i ? "," : ",\"mounts\":[", PICK(t, places), i % 5 ? "bind" : "tmpfs",
			      PICK(t, sources));
	(void)str_copy(more + n, sizeof(more) - n, "]");
	tree_config(t, more);
}

/* Documents that are JSON, and config.json in all but a detail. */
static void documents(struct tree *t, unsigned int variant)
{
	static const char *const more[] = {
		",\"process\":{\"args\":[]}",
		",\"process\":null",
		",\"process\":{\"args\":[1]}",
		",\"process\":{\"args\":\"x\"}",
		",\"root\":{\"path\":\"\"}",
		",\"root\":{\"path\":7}",
		",\"mounts\":{}",
		",\"mounts\":[null]",
		",\"annotations\":[]",
		",\"annotations\":{\"io.crossarch.platform\":\"../../x\\n\"}",
		",\"annotations\":{\"io.crossarch.emulation\":1}",
		",\"linux\":{\"seccomp\":{\"defaultAction\":3}}",
		",\"linux\":{\"namespaces\":[{\"type\":\"user\",\"path\":\"/proc/../../etc\"}]}",
		",\"linux\":{\"namespaces\":[{\"type\":\"user\",\"path\":\"/proc/"
		"99999999999999999999/ns/user\"}]}",
		",\"linux\":{\"resources\":{\"memory\":{\"limit\":-9223372036854775808}}}",
		",\"process\":{\"cwd\":\"/../../"
		"..\",\"args\":[\"secret\"],\"env\":[\"PATH\",\"=\",\"PATH=\"]}",
		",\"annotations\":{\"io.crossarch.\":\"\",\"io.crossarch.unknown\":\"\\u001b\"}",
	};

	(void)bytes;
	tree_text(t, "bin/x", "#!/bin/sh\n");
	tree_config(t, more[variant % ARRAY_SIZE(more)]);
	(void)tree_random(t, 2);
}

/* A root that is none. */
static void roots(struct tree *t, unsigned int variant)
{
	fd_close(&t->root);
	ASSERT(unlinkat(t->bundle, "rootfs", AT_REMOVEDIR) == 0);
	if (variant % 4 == 1)
		ASSERT(mknodat(t->bundle, "rootfs", S_IFIFO | 0600, 0) == 0);
	else if (variant % 4 == 2)
		ASSERT(mknodat(t->bundle, "rootfs", S_IFREG | 0600, 0) == 0);
	else if (variant % 4 == 3)
		ASSERT(symlinkat("rootfs", t->bundle, "rootfs") == 0);
}

/* A file of the bundle that is none. */
static void config_file(struct tree *t, unsigned int variant)
{
	static const char *const texts[] = { "", "{", "[]", "{} {}", "nul", "{\"a\":\"\xff\"}" };
	CLEANUP_FD int fd = -1;

	if (variant % 3 == 1) {
		ASSERT(mknodat(t->bundle, "config.json", odd_nodes[variant % 2] | 0600, 0) == 0);
		return;
	}
	fd = openat(t->bundle, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (variant % 3 == 2)
		ASSERT(ftruncate(fd, (off_t)1 << (10 + 2 * variant)) == 0);
	else
		(void)!write(fd, PICK(t, texts), 4);
}

/* What changes places while it is looked at: a program, a link out, a FIFO, a directory. */
static void race_of(struct tree *t, unsigned int variant)
{
	t->racing = true;
	tree_file(t, "bin/x", bytes, elf_with_interp(variant, "/swap", bytes, sizeof(bytes)), 0755);
	tree_link(t, "bin/link", "/swap");
	tree_file(t, "swap", bytes, elf_with_interp(variant, "/bin/x", bytes, sizeof(bytes)), 0755);
	if (variant % 4 == 0)
		tree_node(t, "other", PICK(t, odd_nodes));
	else if (variant % 4 == 1)
		tree_text(t, "other", "#!/bin/link\n");
	else
		tree_link(t, "other", PICK(t, ways_out));
	if (variant % 3)
		tree_link(t, "nib", variant % 2 ? ".." : PICK(t, ways_out));
	else
		tree_text(t, "nib/x", "#!/swap\n");
	tree_process(t, variant % 2 ? "/bin/link" : "/bin/x", NULL);
}

static const struct kind kinds[] = {
	{ "ELF header", elf_head },
	{ "ELF program headers", elf_table },
	{ "ELF loader", elf_loader },
	{ "ELF loader behind a link", elf_linked },
	{ "script with a long line", script_line },
	{ "scripts of scripts", script_chain },
	{ "script without interpreter", script_nowhere },
	{ "links in a circle", link_loop },
	{ "links that multiply", link_bomb },
	{ "long links", link_long },
	{ "links that lead out", link_out },
	{ "costly PATH", costly },
	{ "no regular file", node },
	{ "sparse file of 4 GiB", sparse },
	{ "noise", noise },
	{ "bent program", bent },
	{ "deep path", deep },
	{ "odd names", names },
	{ "mounts", mounts },
	{ "odd documents", documents },
	{ "no root", roots },
	{ "no config.json", config_file },
	{ "changing tree", race_of },
};

const struct kind *kinds_all(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(kinds);
	return kinds;
}
