/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/metrics_v2.h"

#include <string.h>

#include "runtime/base/str.h"

enum {
	METRICS_PIDS = 1,
	METRICS_CPU = 2,
	METRICS_MEMORY = 4,
	METRICS_RDMA = 5,
	METRICS_IO = 6,
	METRICS_HUGETLB = 7,
	METRICS_MEMORY_EVENTS = 8,
};

static void pressure(struct reader *r, unsigned int field, const char *name)
{
	char *text = reader_file(r, name);

	if (text)
		text_pressure(&r->w, field, text);
}

static void pids(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_PIDS);

	reader_number(r, 1, "pids.current");
	reader_number(r, 2, "pids.max");
	pb_close(&r->w, mark, true);
}

static void cpu(struct reader *r)
{
	static stat_names names = {
		"usage_usec",	  "user_usec", "system_usec", "nr_periods", "nr_throttled",
		"throttled_usec", "",	       "nr_bursts",   "burst_usec",
	};
	size_t mark = pb_open(&r->w, METRICS_CPU);
	char *text = reader_file(r, "cpu.stat");

	if (text)
		text_flat(&r->w, text, names, ARRAY_SIZE(names), 1);
	pressure(r, 7, "cpu.pressure");
	pb_close(&r->w, mark, false);
}

static void memory_stat(struct reader *r)
{
	static stat_names names = {
		"anon",
		"file",
		"kernel_stack",
		"slab",
		"sock",
		"shmem",
		"file_mapped",
		"file_dirty",
		"file_writeback",
		"anon_thp",
		"inactive_anon",
		"active_anon",
		"inactive_file",
		"active_file",
		"unevictable",
		"slab_reclaimable",
		"slab_unreclaimable",
		"pgfault",
		"pgmajfault",
		"workingset_refault",
		"workingset_activate",
		"workingset_nodereclaim",
		"pgrefill",
		"pgscan",
		"pgsteal",
		"pgactivate",
		"pgdeactivate",
		"pglazyfree",
		"pglazyfreed",
		"thp_fault_alloc",
		"thp_collapse_alloc",
	};
	char *text = reader_file(r, "memory.stat");

	if (text)
		text_flat(&r->w, text, names, ARRAY_SIZE(names), 1);
}

static void memory(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_MEMORY);

	memory_stat(r);
	reader_number(r, 32, "memory.current");
	reader_number(r, 33, "memory.max");
	reader_number(r, 34, "memory.swap.current");
	reader_number(r, 35, "memory.swap.max");
	reader_number(r, 36, "memory.peak");
	reader_number(r, 37, "memory.swap.peak");
	pressure(r, 38, "memory.pressure");
	pb_close(&r->w, mark, false);
}

static void memory_events(struct reader *r)
{
	static stat_names names = { "low", "high", "max", "oom", "oom_kill", "oom_group_kill" };
	size_t mark = pb_open(&r->w, METRICS_MEMORY_EVENTS);
	char *text = reader_file(r, "memory.events");

	if (text)
		text_flat(&r->w, text, names, ARRAY_SIZE(names), 1);
	pb_close(&r->w, mark, true);
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

static void io(struct reader *r)
{
	size_t mark = pb_open(&r->w, METRICS_IO);
	char *text = reader_file(r, "io.stat");

	if (text)
		text_io(&r->w, 1, text);
	pressure(r, 2, "io.pressure");
	pb_close(&r->w, mark, true);
}

static void one_page_size(struct reader *r, const char *size)
{
	static stat_names events = { "", "", "", "max" };
	size_t mark = pb_open(&r->w, METRICS_HUGETLB);
	char name[96], *text;

	if (str_fmt(name, sizeof(name), "hugetlb.%s.current", size))
		reader_number(r, 1, name);
	if (str_fmt(name, sizeof(name), "hugetlb.%s.max", size))
		reader_number(r, 2, name);
	pb_bytes(&r->w, 3, size, strlen(size));
	text = str_fmt(name, sizeof(name), "hugetlb.%s.events", size) ? reader_file(r, name) : NULL;
	if (text)
		text_flat(&r->w, text, events, ARRAY_SIZE(events), 1);
	pb_close(&r->w, mark, false);
}

void metrics_v2(struct reader *r)
{
	if (!reader_enter(r, CGROUP_UNIFIED))
		return;
	pids(r);
	cpu(r);
	memory(r);
	rdma(r);
	io(r);
	reader_huge_pages(r, "current", one_page_size);
	memory_events(r);
}
