/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is packed is decoded with the code generated from proto/metrics.proto. The cgroups are
 * directories with texts as kernels write them.
 */
#include "tests/unit/cgroup_bench.h"

#include "proto/metrics.pb-c.h"
#include "shim/host/metrics.h"
#include "shim/host/metrics_text.h"

#define UNPACK(message, buf) crossarch__metrics__##message##__unpack(NULL, (buf)->len, (buf)->data)
#define RELEASE(message, p) crossarch__metrics__##message##__free_unpacked(p, NULL)

static void read_all(const struct cgroup *cg, struct buf *out)
{
	struct err err = ERR_INIT;

	*out = (struct buf)BUF_INIT(METRICS_MAX);
	if (metrics_read(cg, out, &err) < 0)
		fail_msg("%s", err.text);
}

static void write_v1_files(struct fake_cgroup *f)
{
	fake_cgroup_file(f, "cpuacct.usage", "123456789012\n");
	fake_cgroup_file(f, "cpuacct.stat", "user 150\nsystem 50\n");
	fake_cgroup_file(f, "cpuacct.usage_percpu", "1000 200000 0 \n");
	fake_cgroup_file(f, "cpu.stat",
			 "nr_periods 7\nnr_throttled 3\nthrottled_time 99\nnr_bursts 0\n");
	fake_cgroup_file(f, "memory.stat",
			 "cache 1\nrss 2\nshmem 77\npgpgin 7\nunevictable 15\n"
			 "hierarchical_memsw_limit 9223372036854771712\ntotal_rss 19\n"
			 "total_pgfault 26\ntotal_pgmajfault 27\ntotal_inactive_file 30\n"
			 "total_unevictable 32\n");
	fake_cgroup_file(f, "memory.usage_in_bytes", "4096\n");
	fake_cgroup_file(f, "memory.limit_in_bytes", "9223372036854771712\n");
	fake_cgroup_file(f, "memory.max_usage_in_bytes", "8192\n");
	fake_cgroup_file(f, "memory.failcnt", "5\n");
	fake_cgroup_file(f, "memory.kmem.tcp.usage_in_bytes", "11\n");
	fake_cgroup_file(f, "memory.oom_control", "oom_kill_disable 0\nunder_oom 1\noom_kill 4\n");
	fake_cgroup_file(f, "pids.current", "3\n");
	fake_cgroup_file(f, "pids.max", "max\n");
	fake_cgroup_file(f, "blkio.throttle.io_service_bytes", "8:0 Read 1\nTotal 1\n");
	fake_cgroup_file(f, "blkio.throttle.io_service_bytes_recursive",
			 "8:0 Read 4096\n8:0 Write 0\n259:3 Read 17\nTotal 4113\n");
	fake_cgroup_file(f, "hugetlb.2MB.usage_in_bytes", "2097152\n");
	fake_cgroup_file(f, "hugetlb.2MB.rsvd.usage_in_bytes", "1\n");
	fake_cgroup_file(f, "hugetlb.2MB.max_usage_in_bytes", "4194304\n");
	fake_cgroup_file(f, "hugetlb.2MB.failcnt", "1\n");
	fake_cgroup_file(f, "rdma.current", "mlx4_0 hca_handle=2 hca_object=9\n");
	fake_cgroup_file(f, "rdma.max", "mlx4_0 hca_handle=max hca_object=2000\n");
}

static void check_v1_cpu(const Crossarch__Metrics__V1Cpu *cpu)
{
	uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	assert_int_equal(cpu->usage->total, 123456789012);
	assert_int_equal(cpu->usage->user, 150 * tick_ns);
	assert_int_equal(cpu->usage->kernel, 50 * tick_ns);
	assert_int_equal(cpu->usage->n_per_cpu, 3);
	assert_int_equal(cpu->usage->per_cpu[1], 200000);
	assert_int_equal(cpu->throttling->periods, 7);
	assert_int_equal(cpu->throttling->throttled_periods, 3);
	assert_int_equal(cpu->throttling->throttled_time, 99);
}

static void check_v1_memory(const Crossarch__Metrics__V1Memory *memory)
{
	assert_int_equal(memory->cache, 1);
	assert_int_equal(memory->rss, 2);
	assert_int_equal(memory->pg_pg_in, 7);
	assert_int_equal(memory->unevictable, 15);
	assert_int_equal(memory->hierarchical_swap_limit, 9223372036854771712);
	assert_int_equal(memory->total_rss, 19);
	assert_int_equal(memory->total_pg_fault, 26);
	assert_int_equal(memory->total_pg_maj_fault, 27);
	assert_int_equal(memory->total_inactive_file, 30);
	assert_int_equal(memory->total_unevictable, 32);
	assert_int_equal(memory->usage->usage, 4096);
	assert_int_equal(memory->usage->limit, 9223372036854771712);
	assert_int_equal(memory->usage->max, 8192);
	assert_int_equal(memory->usage->failcnt, 5);
	assert_non_null(memory->swap);
	assert_non_null(memory->kernel);
	assert_int_equal(memory->kernel_tcp->usage, 11);
}

static void check_v1_devices(const Crossarch__Metrics__V1Metrics *m)
{
	const Crossarch__Metrics__V1Blkio *io = m->blkio;

	assert_int_equal(io->n_io_service_bytes_recursive, 3);
	assert_string_equal(io->io_service_bytes_recursive[0]->op, "Read");
	assert_int_equal(io->io_service_bytes_recursive[0]->value, 4096);
	assert_int_equal(io->io_service_bytes_recursive[2]->major, 259);
	assert_int_equal(io->io_service_bytes_recursive[2]->minor, 3);
	assert_int_equal(io->n_io_serviced_recursive, 0);
	assert_int_equal(m->n_hugetlb, 1);
	assert_string_equal(m->hugetlb[0]->pagesize, "2MB");
	assert_int_equal(m->hugetlb[0]->usage, 2097152);
	assert_int_equal(m->hugetlb[0]->max, 4194304);
	assert_int_equal(m->hugetlb[0]->failcnt, 1);
	assert_string_equal(m->rdma->current[0]->device, "mlx4_0");
	assert_int_equal(m->rdma->current[0]->hca_objects, 9);
	assert_int_equal(m->rdma->limit[0]->hca_handles, UINT32_MAX);
}

static void test_v1(void **state)
{
	Crossarch__Metrics__V1Metrics *m;
	struct fake_cgroup f;
	struct buf out;

	(void)state;
	fake_cgroup_init(&f, false);
	write_v1_files(&f);
	read_all(&f.cg, &out);
	assert_string_equal(metrics_type_url(&f.cg), "io.containerd.cgroups.v1.Metrics");
	m = UNPACK(v1_metrics, &out);
	assert_non_null(m);
	check_v1_cpu(m->cpu);
	check_v1_memory(m->memory);
	check_v1_devices(m);
	assert_int_equal(m->pids->current, 3);
	assert_int_equal(m->pids->limit, 0);
	assert_int_equal(m->memory_oom_control->under_oom, 1);
	assert_int_equal(m->memory_oom_control->oom_kill, 4);
	RELEASE(v1_metrics, m);
	buf_deinit(&out);
	fake_cgroup_deinit(&f);
}

/* containerd panics without these: they are there even when the files are not. */
static void test_v1_always_there(void **state)
{
	Crossarch__Metrics__V1Metrics *m;
	struct fake_cgroup f;
	struct buf out;

	(void)state;
	fake_cgroup_init(&f, false);
	read_all(&f.cg, &out);
	m = UNPACK(v1_metrics, &out);
	assert_non_null(m);
	assert_non_null(m->cpu->usage);
	assert_non_null(m->cpu->throttling);
	assert_non_null(m->memory->usage);
	assert_non_null(m->memory->swap);
	assert_non_null(m->memory->kernel);
	assert_non_null(m->memory->kernel_tcp);
	assert_null(m->memory_oom_control);
	RELEASE(v1_metrics, m);
	buf_deinit(&out);
	fake_cgroup_deinit(&f);
}

#define PRESSURE(n)                                             \
	"some avg10=" n ".25 avg60=1.50 avg300=0.00 total=17\n" \
	"full avg10=0.01 avg60=0.00 avg300=100.00 total=18446744073709551615\n"

static void write_v2_files(struct fake_cgroup *f)
{
	fake_cgroup_file(f, "cpu.stat",
			 "usage_usec 1000\nuser_usec 600\nsystem_usec 400\nnice_usec 0\n"
			 "nr_periods 4\nnr_throttled 5\nthrottled_usec 6\nnr_bursts 8\n"
			 "burst_usec 9\n");
	fake_cgroup_file(f, "cpu.pressure", PRESSURE("1"));
	fake_cgroup_file(f, "memory.stat",
			 "anon 1\nfile 2\nkernel 99\nkernel_stack 3\nanon_thp 10\n"
			 "inactive_file 13\npgfault 18\npgmajfault 19\nworkingset_nodereclaim 22\n"
			 "thp_collapse_alloc 31\n");
	fake_cgroup_file(f, "memory.current", "4096\n");
	fake_cgroup_file(f, "memory.max", "max\n");
	fake_cgroup_file(f, "memory.swap.current", "34\n");
	fake_cgroup_file(f, "memory.swap.max", "35\n");
	fake_cgroup_file(f, "memory.peak", "36\n");
	fake_cgroup_file(f, "memory.swap.peak", "37\n");
	fake_cgroup_file(f, "memory.pressure", PRESSURE("2"));
	fake_cgroup_file(f, "memory.events",
			 "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n");
	fake_cgroup_file(f, "pids.current", "2\n");
	fake_cgroup_file(f, "pids.max", "max\n");
	fake_cgroup_file(f, "io.stat",
			 "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n253:0 \n");
	fake_cgroup_file(f, "io.pressure", PRESSURE("3"));
	fake_cgroup_file(f, "hugetlb.1GB.current", "0\n");
	fake_cgroup_file(f, "hugetlb.1GB.rsvd.current", "5\n");
	fake_cgroup_file(f, "hugetlb.1GB.max", "max\n");
	fake_cgroup_file(f, "hugetlb.1GB.events", "max 12\n");
}

static void check_pressure(const Crossarch__Metrics__Pressure *psi, double avg10)
{
	assert_true(psi->some->avg10 == avg10);
	assert_true(psi->some->avg60 == 1.5);
	assert_int_equal(psi->some->total, 17);
	assert_true(psi->full->avg300 == 100.0);
	assert_true(psi->full->total == UINT64_MAX);
}

static void check_v2_memory(const Crossarch__Metrics__V2Memory *memory)
{
	assert_int_equal(memory->anon, 1);
	assert_int_equal(memory->file, 2);
	assert_int_equal(memory->kernel_stack, 3);
	assert_int_equal(memory->anon_thp, 10);
	assert_int_equal(memory->inactive_file, 13);
	assert_int_equal(memory->pgfault, 18);
	assert_int_equal(memory->pgmajfault, 19);
	assert_int_equal(memory->workingset_nodereclaim, 22);
	assert_int_equal(memory->thp_collapse_alloc, 31);
	assert_int_equal(memory->usage, 4096);
	assert_true(memory->usage_limit == UINT64_MAX);
	assert_int_equal(memory->swap_usage, 34);
	assert_int_equal(memory->swap_limit, 35);
	assert_int_equal(memory->max_usage, 36);
	assert_int_equal(memory->swap_max_usage, 37);
	check_pressure(memory->psi, 2.25);
}

static void check_v2_rest(const Crossarch__Metrics__V2Metrics *m)
{
	assert_int_equal(m->pids->current, 2);
	assert_true(m->pids->limit == UINT64_MAX);
	assert_int_equal(m->cpu->usage_usec, 1000);
	assert_int_equal(m->cpu->throttled_usec, 6);
	assert_int_equal(m->cpu->nr_bursts, 8);
	assert_int_equal(m->cpu->burst_usec, 9);
	check_pressure(m->cpu->psi, 1.25);
	assert_int_equal(m->io->n_usage, 2);
	assert_int_equal(m->io->usage[0]->minor, 16);
	assert_int_equal(m->io->usage[0]->wios, 4);
	assert_int_equal(m->io->usage[1]->major, 253);
	check_pressure(m->io->psi, 3.25);
	assert_int_equal(m->n_hugetlb, 1);
	assert_string_equal(m->hugetlb[0]->pagesize, "1GB");
	assert_int_equal(m->hugetlb[0]->failcnt, 12);
	assert_int_equal(m->memory_events->oom_kill, 5);
	assert_int_equal(m->memory_events->oom_group_kill, 6);
	assert_null(m->rdma);
}

static void test_v2(void **state)
{
	Crossarch__Metrics__V2Metrics *m;
	struct fake_cgroup f;
	struct buf out;

	(void)state;
	fake_cgroup_init(&f, true);
	write_v2_files(&f);
	read_all(&f.cg, &out);
	assert_string_equal(metrics_type_url(&f.cg), "io.containerd.cgroups.v2.Metrics");
	m = UNPACK(v2_metrics, &out);
	assert_non_null(m);
	check_v2_memory(m->memory);
	check_v2_rest(m);
	RELEASE(v2_metrics, m);
	buf_deinit(&out);
	fake_cgroup_deinit(&f);
}

static void test_gone(void **state)
{
	struct buf out = BUF_INIT(METRICS_MAX);
	struct err err = ERR_INIT;

	(void)state;
	for (int unified = 0; unified < 2; unified++) {
		struct fake_cgroup f;

		fake_cgroup_init(&f, unified);
		assert_int_equal(rmdir(cgroup_dir(&f.cg, CGROUP_MEMORY)), 0);
		assert_int_equal(metrics_read(&f.cg, &out, &err), -1);
		assert_int_equal(err.code, ERR_NOT_FOUND);
		assert_string_equal(err.text, "cgroup does not exist");
		fake_cgroup_deinit(&f);
	}
	buf_deinit(&out);
}

/* A message that does not fit is an error, not half a message. */
static void test_too_large(void **state)
{
	struct fake_cgroup f;
	struct err err = ERR_INIT;

	(void)state;
	fake_cgroup_init(&f, true);
	write_v2_files(&f);
	for (size_t max = 1; max < 300; max++) {
		struct buf out = BUF_INIT(max);

		assert_int_equal(metrics_read(&f.cg, &out, &err), -1);
		assert_int_equal(err.code, ERR_LIMIT);
		buf_deinit(&out);
	}
	fake_cgroup_deinit(&f);
}

/* Lengths around every size of the length's own varint. */
static void test_nested_lengths(void **state)
{
	static const size_t lengths[] = { 0, 1, 126, 127, 128, 129, 16382, 16383, 16384, 70000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct buf out = BUF_INIT(1 << 20);
		struct err err = ERR_INIT;
		struct protobuf_writer w = { .out = &out, .err = &err };
		char *text = calloc(1, lengths[i] + 1);
		Crossarch__Metrics__V1Metrics *m;
		size_t mark;

		memset(text, 'x', lengths[i]);
		mark = pb_open(&w, 1);
		pb_bytes(&w, 4, text, lengths[i]);
		pb_close(&w, mark, false);
		mark = pb_open(&w, 2);
		pb_close(&w, mark, true);
		assert_false(w.failed);
		m = UNPACK(v1_metrics, &out);
		assert_non_null(m);
		assert_string_equal(m->hugetlb[0]->pagesize, text);
		assert_null(m->pids);
		RELEASE(v1_metrics, m);
		buf_deinit(&out);
		free(text);
	}
}

/* The parsers take any text, and what they write can always be decoded. */
static void test_malformed(void **state)
{
	static const char texts[][48] = {
		"",
		"\n\n",
		" ",
		"8:0",
		"8:0 ",
		"8: Read 1",
		":",
		"x:y Read 1",
		"8:0 Read",
		"8:0 Read x",
		"a=b c==d =",
		"some",
		"some avg10=",
		"some total=x",
		"full avg10=nan avg60=-1",
		"hca_handle=1",
		"d hca_handle",
		"cache",
		"cache ",
		"cache -1",
		"cache 99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (int which = 0; which < 5; which++) {
			static stat_names names = { "cache", "" };
			struct buf out = BUF_INIT(4096);
			struct err err = ERR_INIT;
			struct protobuf_writer w = { .out = &out, .err = &err };
			ProtobufCMessage *m;
			char text[48];

			strcpy(text, texts[i]);
			if (which == 0)
				text_flat(&w, text, names, ARRAY_SIZE(names), 1);
			else if (which == 1)
				text_io(&w, 15, text);
			else if (which == 2)
				text_blkio(&w, 15, text);
			else if (which == 3)
				text_rdma(&w, 15, text);
			else
				text_pressure(&w, 15, text);
			assert_false(w.failed);
			m = protobuf_c_message_unpack(&crossarch__metrics__pids_stat__descriptor,
						      NULL, out.len, out.data);
			assert_non_null(m);
			protobuf_c_message_free_unpacked(m, NULL);
			buf_deinit(&out);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v1),	  cmocka_unit_test(test_v1_always_there),
		cmocka_unit_test(test_v2),	  cmocka_unit_test(test_gone),
		cmocka_unit_test(test_too_large), cmocka_unit_test(test_nested_lengths),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
