/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/metrics_v1.h"

#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"

#define NS_PER_S 1000000000u

enum {
	METRICS_HUGETLB = 1,
	METRICS_PIDS = 2,
	METRICS_CPU = 3,
	METRICS_MEMORY = 4,
	METRICS_BLKIO = 5,
	METRICS_RDMA = 6,
	METRICS_OOM_CONTROL = 9,
};

static void one_page_size(struct reader *r, const char *size)
{
	static const char files[][20] = { "usage_in_bytes", "max_usage_in_bytes", "failcnt" };
	size_t mark = pb_open(&r->w, METRICS_HUGETLB);
	char name[96];

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
		if (str_fmt(name, sizeof(name), "hugetlb.%s.%s", size, files[i]))
			reader_number(r, i + 1, name);
	pb_bytes(&r->w, 4, size, strlen(size));
	pb_close(&r->w, mark, false);
}

/* A limit of "max" is told as 0, which is the absence of the field. */
static void pids(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_PIDS);
	char *limit;

	reader_number(r, 1, "pids.current");
	limit = reader_file(r, "pids.max");
	if (limit && !str_after(limit, "max"))
		pb_uint(&r->w, 2, strtoull(limit, NULL, 10));
	pb_close(&r->w, mark, false);
}

static void cpu_usage(struct reader *r)
{
	static stat_names names = { "", "system", "user" };
	char *text;

	if (!reader_enter(r, CGROUP_CPUACCT))
		return;
	reader_number(r, 1, "cpuacct.usage");
	text = reader_file(r, "cpuacct.stat");
	if (text)
		text_flat(&r->w, text, names, ARRAY_SIZE(names),
			  NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	text = reader_file(r, "cpuacct.usage_percpu");
	if (text)
		text_list(&r->w, 4, text);
}

static void cpu_throttling(struct reader *r)
{
	static stat_names names = { "nr_periods", "nr_throttled", "throttled_time" };
	char *text = reader_enter(r, CGROUP_CPU) ? reader_file(r, "cpu.stat") : NULL;

	if (text)
		text_flat(&r->w, text, names, ARRAY_SIZE(names), 1);
}

/* containerd reads usage and throttling without looking whether they are there: they always are. */
static void cpu(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_CPU), inner;

	inner = pb_open(&r->w, 1);
	cpu_usage(r);
	pb_close(&r->w, inner, false);
	inner = pb_open(&r->w, 2);
	cpu_throttling(r);
	pb_close(&r->w, inner, false);
	pb_close(&r->w, mark, false);
}

static void memory_stat(struct reader *r)
{
	static stat_names names = {
		"cache",
		"rss",
		"rss_huge",
		"mapped_file",
		"dirty",
		"writeback",
		"pgpgin",
		"pgpgout",
		"pgfault",
		"pgmajfault",
		"inactive_anon",
		"active_anon",
		"inactive_file",
		"active_file",
		"unevictable",
		"hierarchical_memory_limit",
		"hierarchical_memsw_limit",
		"total_cache",
		"total_rss",
		"total_rss_huge",
		"total_mapped_file",
		"total_dirty",
		"total_writeback",
		"total_pgpgin",
		"total_pgpgout",
		"total_pgfault",
		"total_pgmajfault",
		"total_inactive_anon",
		"total_active_anon",
		"total_inactive_file",
		"total_active_file",
		"total_unevictable",
	};
	char *text = reader_file(r, "memory.stat");

	if (text)
		text_flat(&r->w, text, names, ARRAY_SIZE(names), 1);
}

/* As with cpu: all four entries are there, if empty. */
static void memory_entry(struct reader *r, unsigned int field, const char *prefix)
{
	static const char files[][20] = { "limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes",
					  "failcnt" };
	size_t mark = pb_open(&r->w, field);
	char name[64];

	for (unsigned int i = 0; r->dir >= 0 && i < ARRAY_SIZE(files); i++)
		if (str_fmt(name, sizeof(name), "%s.%s", prefix, files[i]))
			reader_number(r, i + 1, name);
	pb_close(&r->w, mark, false);
}

static void memory(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_MEMORY);

	if (reader_enter(r, CGROUP_MEMORY))
		memory_stat(r);
	memory_entry(r, 33, "memory");
	memory_entry(r, 34, "memory.memsw");
	memory_entry(r, 35, "memory.kmem");
	memory_entry(r, 36, "memory.kmem.tcp");
	pb_close(&r->w, mark, false);
}

static void oom_control(struct reader *r)
{
	static stat_names names = { "oom_kill_disable", "under_oom", "oom_kill" };
	size_t mark = pb_open(&r->w, METRICS_OOM_CONTROL);
	char *text = reader_file(r, "memory.oom_control");

	if (text)
		text_flat(&r->w, text, names, ARRAY_SIZE(names), 1);
	pb_close(&r->w, mark, true);
}

/* Which of these files exists depends on kernel and I/O scheduler; the first one counts. */
static void blkio_list(struct reader *r, unsigned int field, const char *what)
{
	static const char patterns[][32] = { "blkio.throttle.%s_recursive", "blkio.throttle.%s",
					     "blkio.bfq.%s_recursive", "blkio.%s_recursive" };
	char name[64], *text = NULL;

	for (size_t i = 0; !text && i < ARRAY_SIZE(patterns); i++) {
		const char *at = strchr(patterns[i], '%');

		str_fmt(name, sizeof(name), "%.*s%s%s", (int)(at - patterns[i]), patterns[i], what,
			at + 2);
		text = reader_file(r, name);
	}
	if (text)
		text_blkio(&r->w, field, text);
}

static void blkio(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_BLKIO);

	blkio_list(r, 1, "io_service_bytes");
	blkio_list(r, 2, "io_serviced");
	pb_close(&r->w, mark, false);
}

static void rdma(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_RDMA);
	char *text = reader_file(r, "rdma.current");

	if (text)
		text_rdma(&r->w, 1, text);
	text = reader_file(r, "rdma.max");
	if (text)
		text_rdma(&r->w, 2, text);
	pb_close(&r->w, mark, true);
}

void metrics_v1(struct reader *r)
{
	if (reader_enter(r, CGROUP_HUGETLB))
		reader_huge_pages(r, "usage_in_bytes", one_page_size);
	if (reader_enter(r, CGROUP_PIDS))
		pids(r);
	cpu(r);
	memory(r);
	if (reader_enter(r, CGROUP_MEMORY))
		oom_control(r);
	if (reader_enter(r, CGROUP_BLKIO))
		blkio(r);
	if (reader_enter(r, CGROUP_RDMA))
		rdma(r);
}
