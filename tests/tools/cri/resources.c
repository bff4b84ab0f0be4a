/* SPDX-License-Identifier: Apache-2.0 */
/* Resources of a running container: update and statistics. */
#include <stdio.h>

#include "tests/tools/cri/cri.h"

static int update_run(const struct cli_command *self, int argc, char **argv)
{
	uint64_t memory = 0, shares = 0, quota = 0, period = 0;
	const char *cpuset = "";
	const struct cli_option options[] = {
		{ "memory", 0, CLI_NUMBER, &memory, "BYTES", "memory limit" },
		{ "cpu-shares", 0, CLI_NUMBER, &shares, "N", "CPU shares" },
		{ "cpu-quota", 0, CLI_NUMBER, &quota, "US", "CPU quota per period" },
		{ "cpu-period", 0, CLI_NUMBER, &period, "US", "CPU period" },
		{ "cpuset", 0, CLI_STRING, &cpuset, "CPUS", "allowed CPUs" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	Cri__UpdateRequest request = CRI__UPDATE_REQUEST__INIT;
	Cri__Resources resources = CRI__RESOURCES__INIT;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	resources.memory_limit = (int64_t)memory;
	resources.cpu_shares = (int64_t)shares;
	resources.cpu_quota = (int64_t)quota;
	resources.cpu_period = (int64_t)period;
	resources.cpuset_cpus = pb(cpuset);
	request.id = operands.v[0];
	request.on_linux = &resources;
	return cri_call(&cri, "RuntimeService/UpdateContainerResources", &request.base,
			&cri__empty__descriptor)
		       ? CLI_DONE
		       : CLI_FAILED;
}

const struct cli_command cmd_update = {
	.name = "update",
	.operands = "CONTAINER",
	.summary = "change the resources of a container",
	.run = update_run,
};

static unsigned long long value_of(const Cri__UInt64 *v)
{
	return v ? v->value : 0;
}

static void print_stats(const Cri__ContainerStats *s)
{
	const Cri__MemoryUsage *m = s->memory;
	const Cri__FilesystemUsage *f = s->writable_layer;

	printf("cpu_ns=%llu\n", value_of(s->cpu ? s->cpu->core_nanoseconds : NULL));
	printf("memory_usage=%llu\n", value_of(m ? m->usage : NULL));
	printf("memory_working_set=%llu\n", value_of(m ? m->working_set : NULL));
	printf("memory_available=%llu\n", value_of(m ? m->available : NULL));
	printf("memory_rss=%llu\n", value_of(m ? m->rss : NULL));
	printf("page_faults=%llu\n", value_of(m ? m->page_faults : NULL));
	printf("major_page_faults=%llu\n", value_of(m ? m->major_page_faults : NULL));
	printf("layer_bytes=%llu\n", value_of(f ? f->used_bytes : NULL));
	printf("layer_inodes=%llu\n", value_of(f ? f->inodes_used : NULL));
}

static int stats_run(const struct cli_command *self, int argc, char **argv)
{
	const struct cli_option options[] = { { NULL, 0, CLI_FLAG, NULL, NULL, NULL } };
	Cri__IdRequest request = CRI__ID_REQUEST__INIT;
	const Cri__StatsReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.id = operands.v[0];
	reply = cri_call(&cri, "RuntimeService/ContainerStats", &request.base,
			 &cri__stats_reply__descriptor);
	if (!reply || !reply->stats)
		return CLI_FAILED;
	print_stats(reply->stats);
	return CLI_DONE;
}

const struct cli_command cmd_stats = {
	.name = "stats",
	.operands = "CONTAINER",
	.summary = "print the resource usage of a container as key=value lines",
	.run = stats_run,
};

static void print_pod_stats(const Cri__LinuxPodStats *s)
{
	printf("cpu_ns=%llu\n", value_of(s->cpu ? s->cpu->core_nanoseconds : NULL));
	printf("memory_usage=%llu\n", value_of(s->memory ? s->memory->usage : NULL));
	printf("processes=%llu\n", value_of(s->processes ? s->processes->count : NULL));
}

static int podstats_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__IdRequest request = CRI__ID_REQUEST__INIT;
	const Cri__PodStatsReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.id = pb(operands.v[0]);
	reply = cri_call(&cri, "RuntimeService/PodSandboxStats", &request.base,
			 &cri__pod_stats_reply__descriptor);
	if (!reply || !reply->stats || !reply->stats->on_linux)
		return CLI_FAILED;
	print_pod_stats(reply->stats->on_linux);
	return CLI_DONE;
}

const struct cli_command cmd_podstats = {
	.name = "podstats",
	.operands = "POD",
	.summary = "print the resource usage of a pod as key=value lines",
	.run = podstats_run,
};
