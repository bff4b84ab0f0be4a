/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/image_json.h"
#include "runtime/containerd/image_platform.h"
#include "tests/bench/bench.h"

static const struct {
	const char *name;
	command *run;
	const char *what; /* of @n */
} commands[] = {
	{ "cycle", bench_cycle, "rounds of create, start, wait, delete; the engine alone too" },
	{ "parallel", bench_parallel, "bursts of 16 at once" },
	{ "exec", bench_exec, "rounds of exec" },
	{ "direct", bench_direct, "rounds with the shims alone, no containerd between" },
	{ "check", bench_check, "rounds of prepare and image-platform" },
	{ "output", bench_output, "containers writing 1 GiB" },
	{ "pods", bench_pods, "pods of two containers: memory" },
	{ "growth", bench_growth, "containers in one pod" },
	{ "nodes", bench_nodes, "pods of one container" },
	{ "pod", bench_pod, "pods of one container, through CRI and back" },
	{ "cold", bench_cold, "first containers with the page cache dropped" },
};

static int usage(void)
{
	fputs("usage: bench COMMAND N, in the environment that tests/bench/bench makes; one of\n",
	      stderr);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "  %-10s N %s\n", commands[i].name, commands[i].what);
	fputs("or: bench report TABLE JSON SVG <SERIES\n", stderr);
	return 2;
}

/* --- what the script tells ----------------------------------------------------------------- */

static int read_environment(struct bench *b, struct err *err)
{
	const struct {
		const char *name, **at;
	} settings[] = {
		{ "BENCH_SOCKET", &b->socket },	    { "BENCH_NAMESPACE", &b->namespace },
		{ "BENCH_CGROUP", &b->cgroup },	    { "BENCH_DIR", &b->dir },
		{ "BENCH_IMAGE", &b->image },	    { "BENCH_ENGINE", &b->engine },
		{ "BENCH_CONFIG", &b->config },	    { "BENCH_CONTAINERD", &b->label },
		{ "BENCH_STOCK", &b->shim[STOCK] }, { "BENCH_OURS", &b->shim[OURS] },
		{ "BENCH_TOOLS", &b->tools },
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		*settings[i].at = getenv(settings[i].name);
		if (!*settings[i].at)
			return err_set(err, ERR_INVALID, "%s is not set", settings[i].name);
	}
	return 0;
}

int bench_connect(const struct bench *b, struct rpc **ret, struct err *err)
{
	const struct rpc_target target = { .socket = b->socket, .namespace = b->namespace };

	return rpc_open(&target, ret, err);
}

/* The snapshot with the image's files, by the name that its layers give it. */
static int find_chain(struct bench *b, struct err *err)
{
	struct buf CLEANUP_BUF blob = BUF_INIT(BLOB_MAX);
	CLEANUP_FREE struct image_platform *list = calloc(MANIFESTS_MAX, sizeof(*list));
	struct containerd_store containerd;
	struct image_config config;
	size_t n;

	ASSERT(list);
	containerd_store_init(&containerd, b->rpc);
	if (image_platforms_of_name(&containerd.store, b->image, list, &n, err) < 0 ||
	    containerd.store.blob(&containerd.store, list[0].ref, &blob, err) < 0 ||
	    image_config_parse(blob.data, blob.len, &config, err) < 0)
		return err_in(err, "image %s", b->image);
	str_copy(b->chain, sizeof(b->chain), config.chain);
	return 0;
}

static int run(command *measure, const char *number, struct err *err)
{
	struct bench b = { .rpc = NULL };
	uint64_t n;

	signal(SIGPIPE, SIG_IGN);
	if (str_u64(number, "N", 100000, &n, err) < 0 || read_environment(&b, err) < 0 ||
	    bench_connect(&b, &b.rpc, err) < 0 || find_chain(&b, err) < 0)
		return -1;
	return measure(&b, (unsigned int)n, err);
}

/* _exit(): gRPC's threads are not torn down (rpc.h). */
int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc > 1 && str_eq(argv[1], "report"))
		return report_main(argc - 1, argv + 1);
	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(commands); i++) {
		if (!str_eq(argv[1], commands[i].name))
			continue;
		if (run(commands[i].run, argv[2], &err) == 0)
			_exit(fflush(stdout) == EOF);
		fprintf(stderr, "bench: %s: %s\n", argv[1], err.text);
		_exit(1);
	}
	return usage();
}
