/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/str.h"
#include "runtime/oci/patch.h"
#include "runtime/plan/plan.h"
#include "shim/ttrpc/frame.h"

/*
 * The parts that only compute, again and again, for tests/bench/instructions to count: the same
 * input takes the same number of instructions on a busy machine and on an idle one.
 */

/* What must not be optimised away. */
static volatile unsigned int sink;

static const struct arch *named(const char *name)
{
	return arch_by_name(name, strlen(name));
}

static int run_frame(unsigned int n)
{
	uint8_t bytes[FRAME_HEADER] = { 0, 0, 1, 0, 0, 0, 0, 1, FRAME_REQUEST, 0 };
	struct frame f;

	for (unsigned int i = 0; i < n; i++) {
		bytes[7] = (uint8_t)i;
		frame_decode(bytes, &f);
		sink += f.length + f.stream;
	}
	return 0;
}

/* --- a node with as many handlers as Debian's qemu-user-static registers --------------------- */

#define HANDLERS 30

struct node {
	struct host host;
	struct settings settings;
	struct binfmt_registry binfmt;
	struct binfmt_entry entries[HANDLERS];
	struct facts facts;
};

static struct binfmt_entry handler(const char *guest)
{
	struct binfmt_entry e = { .kind = BINFMT_MAGIC, .enabled = true, .flags = BINFMT_F };
	uint8_t head[ARCH_HEADER];

	arch_header(named(guest), head);
	e.len = 20;
	memcpy(e.magic, head, e.len);
	memset(e.mask, 0xff, e.len);
	e.mask[EI_OSABI] = 0;
	str_fmt(e.name, sizeof(e.name), "qemu-%s", guest);
	str_fmt(e.interpreter, sizeof(e.interpreter), "/usr/bin/qemu-%s-static", guest);
	return e;
}

/* The program is arm64, and the handler that takes it is the last one asked. */
static void node_init(struct node *w)
{
	struct program_file *program = &w->facts.chain[0];

	memset(w, 0, sizeof(*w));
	w->host = (struct host){ named("amd64"), HOST_YES, HOST_NO, 2, 4096, false };
	settings_init(&w->settings);
	w->entries[0] = handler("arm64");
	for (size_t i = 1; i < HANDLERS; i++)
		w->entries[i] = handler("s390x");
	w->binfmt = (struct binfmt_registry){ BINFMT_ON, false, w->entries, HANDLERS, HANDLERS };
	w->facts = (struct facts){
		.host = &w->host, .binfmt = &w->binfmt, .settings = &w->settings, .n_chain = 1
	};
	*program = (struct program_file){ .path = "/bin/true", .found = FOUND_FILE };
	program->mode = S_IFREG | 0755;
	arch_header(named("arm64"), program->image.head);
	program->image.kind = IMAGE_ELF;
	program->image.head_len = ARCH_HEADER;
	program->image.size = 4096;
	(void)ident_read(program->image.head, ARCH_HEADER, &program->image.ident);
}

static int run_match(unsigned int n)
{
	static struct node w;
	const struct program_file *program = &w.facts.chain[0];

	node_init(&w);
	for (unsigned int i = 0; i < n; i++)
		w.facts.handler = binfmt_registry_match(&w.binfmt, program->image.head,
							program->path, false, &w.facts.rival);
	return !w.facts.handler || !str_eq(w.facts.handler->name, "qemu-arm64");
}

static int run_plan(unsigned int n)
{
	static struct node w;
	struct plan p = { .verdict = VERDICT_NONE };

	node_init(&w);
	w.facts.handler = &w.entries[0];
	for (unsigned int i = 0; i < n; i++)
		plan_make(&w.facts, &p);
	return n && p.verdict != VERDICT_EMULATE;
}

/* --- config.json ---------------------------------------------------------------------------- */

static const char config[] =
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/bin/"
	"true\"],\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
	"\"HOSTNAME=bench\"],\"cwd\":\"/\",\"noNewPrivileges\":true},\"root\":{\"path\":"
	"\"rootfs\"},\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},{\"destination\":\"/dev\",\"type\":"
	"\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\"]}],"
	"\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\"},\"linux\":{"
	"\"resources\":{\"memory\":{\"limit\":134217728},\"cpu\":{\"shares\":2}},\"cgroupsPath\":"
	"\"/bench/one\",\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],\"seccomp\":{"
	"\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_AARCH64\"],"
	"\"syscalls\":[{\"names\":[\"read\",\"write\",\"exit\",\"exit_group\",\"openat\"],"
	"\"action\":\"SCMP_ACT_ALLOW\"}]}}}";

static int patch_once(const struct patch *p)
{
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	CLEANUP_JSON json *document = NULL;
	struct err err;

	if (json_parse(config, sizeof(config) - 1, "config.json", &document, &err) < 0 ||
	    patch_apply(document, p, &err) < 0 || json_print(document, &out, &err) < 0)
		return 1;
	sink += (unsigned int)out.len;
	return 0;
}

static int run_patch(unsigned int n)
{
	const struct patch p = {
		.qemu_cpu = "max",
		.adapt_seccomp = true,
		.host = named("amd64"),
		.guest = named("arm64"),
	};
	int failed = 0;

	for (unsigned int i = 0; i < n; i++)
		failed |= patch_once(&p);
	return failed;
}

static const struct {
	const char *name;
	int (*run)(unsigned int n);
} parts[] = {
	{ "frame", run_frame },
	{ "match", run_match },
	{ "plan", run_plan },
	{ "patch", run_patch },
};

/* Exit status 1: the part no longer gives what it is there for, so that its count means nothing. */
int main(int argc, char **argv)
{
	struct err err;
	uint64_t n;

	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(parts); i++)
		if (str_eq(argv[1], parts[i].name) && str_u64(argv[2], "N", 1000000, &n, &err) == 0)
			return parts[i].run((unsigned int)n);
	fputs("usage: pure frame|match|plan|patch N\n", stderr);
	return 2;
}
