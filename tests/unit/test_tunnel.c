/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/stream_bench.h"

/*
 * Streams of a process through TTRPC: a real server and real processes; the client is the one of
 * the bench, which says exactly what a test wants it to.
 */
static struct streams streams;
static struct heard heard;

static int setup(void **state)
{
	if (bench_setup(state) < 0)
		return -1;
	streams_begin(&streams, *state);
	return 0;
}

static int teardown(void **state)
{
	streams_end(&streams);
	return bench_teardown(state);
}

#define DATA "containerd.types.transfer.Data"
#define WINDOW "containerd.types.transfer.WindowUpdate"

static void expect_data(int fd, const char *text)
{
	assert_true(streams_hear(&streams, fd, &heard));
	assert_string_equal(heard.type, DATA);
	assert_int_equal(heard.n, strlen(text));
	assert_memory_equal(heard.bytes, text, heard.n);
}

static void expect_window(int fd, uint64_t n)
{
	assert_true(streams_hear(&streams, fd, &heard));
	assert_string_equal(heard.type, WINDOW);
	assert_int_equal(heard.number, n);
}

static void expect_end(int fd)
{
	assert_true(streams_hear(&streams, fd, &heard));
	assert_true(streams_closed(&heard));
}

static void expect_code(int fd, int code)
{
	assert_true(streams_hear(&streams, fd, &heard));
	assert_int_equal(heard.frame.type, FRAME_RESPONSE);
	assert_int_equal(heard.code, code);
}

/* Opens standard output as stream "out" of a process, and the stream. */
static int open_out(struct bench *b)
{
	struct stdio_spec spec = { .in = "", .err = "", .tunnels = &streams.tunnels };
	int fd = streams_open_one(&streams, "out");

	spec.out = streams_address(&streams, "out");
	bench_open(b, &spec);
	assert_true(stdio_is_ready(&b->io));
	return fd;
}

static int open_in_out(struct bench *b, int *ret_in)
{
	struct stdio_spec spec = { .err = "", .tunnels = &streams.tunnels };
	int fd = streams_open_one(&streams, "out");

	*ret_in = streams_open_one(&streams, "in");
	spec.out = streams_address(&streams, "out");
	spec.in = streams_address(&streams, "in");
	bench_open(b, &spec);
	return fd;
}

static void process_ends(struct bench *b, struct job *process)
{
	bench_until(b, &process->done);
	stdio_process_exited(&b->io);
}

/* Output arrives, then its end; the exit is told when the client has closed, for then it has it. */
static void test_output(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	bench_start(b, &process, "echo hello");
	process_ends(b, &process);
	assert_false(stdio_handed(&b->io));
	streams_window(&streams, fd, 65536);
	expect_data(fd, "hello\n");
	expect_end(fd);
	assert_false(stdio_handed(&b->io));
	streams_finish(&streams, fd);
	assert_true(b->handed && stdio_handed(&b->io) && stdio_drained(&b->io));
	close(fd);
}

/* Likewise when it only closes its connection. */
static void test_client_leaves_at_the_end(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "echo hello");
	expect_data(fd, "hello\n");
	expect_end(fd);
	process_ends(b, &process);
	assert_false(stdio_handed(&b->io));
	close(fd);
	streams_turn(&streams);
	assert_true(b->handed && stdio_drained(&b->io));
}

/* No byte more than the client's window; the rest stays in the pipe. */
static void test_window(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	bench_start(b, &process, "printf 0123456789abcdef");
	process_ends(b, &process);
	assert_true(streams_silent(&streams, fd));
	streams_window(&streams, fd, 4);
	expect_data(fd, "0123"); /* and nothing else, though the process has hung up */
	assert_true(streams_silent(&streams, fd));
	streams_window(&streams, fd, 1);
	streams_window(&streams, fd, 100);
	expect_data(fd, "4");
	expect_data(fd, "56789abcdef");
	expect_end(fd);
	close(fd);
}

/* Megabytes, to a client that takes its time, whole; each message is one that containerd can take.
 */
static void test_much(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);
	uint64_t total = 0, number = 0;

	bench_start(b, &process, "head -c 3000000 /dev/zero");
	streams_window(&streams, fd, 65536);
	streams_window(&streams, fd, 65536);
	while (total < 3000000) {
		assert_true(streams_hear(&streams, fd, &heard));
		assert_string_equal(heard.type, DATA);
		assert_true(heard.n && heard.n <= 32768);
		total += heard.n;
		number += heard.n;
		if (number >= 65536) {
			streams_window(&streams, fd, 65536);
			number -= 65536;
		}
	}
	assert_int_equal(total, 3000000);
	process_ends(b, &process);
	expect_end(fd);
	close(fd);
	streams_turn(&streams);
	assert_true(stdio_drained(&b->io));
}

/* What nobody has said anything on is not waited for, whether it is read or not. */
static void test_nothing_written(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	bench_start(b, &process, "true");
	process_ends(b, &process);
	assert_true(stdio_handed(&b->io));
	expect_end(fd);
	close(fd);
}

/* A client that reads nothing is waited for, but not for good. */
static void test_unread(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	bench_start(b, &process, "echo hello");
	process_ends(b, &process);
	stdio_hurry(&b->io);
	bench_until(b, &b->handed);
	assert_false(stdio_drained(&b->io));
	stdio_end_unread(&b->io);
	assert_false(stdio_drained(&b->io));
	close(fd);
	streams_turn(&streams);
	assert_true(stdio_drained(&b->io) && b->drained);
}

/* Somebody else still has the stream open: the exit is told when what came before it is taken. */
static void test_descendant(void **state)
{
	struct bench *b = *state;
	struct job process, more;
	int fd = open_out(b);

	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "mkfifo go; echo before; (read x <go; echo after) & echo $! >pid");
	process_ends(b, &process);
	assert_false(stdio_handed(&b->io));
	expect_data(fd, "before\n");
	bench_until(b, &b->handed);
	assert_false(stdio_drained(&b->io));
	bench_client(b, &more, "echo >go");
	expect_data(fd, "after\n");
	expect_end(fd);
	close(fd);
	bench_until(b, &b->drained);
	bench_until(b, &more.done);
}

/* The client goes, as when containerd restarts; what is written meanwhile waits for the next one.
 */
static void test_client_comes_back(void **state)
{
	struct bench *b = *state;
	struct job process, more;
	int fd = open_out(b), second;

	streams_window(&streams, fd, 65536);
	bench_start(b, &process,
		    "mkfifo a b; echo one; read x <a; echo two; read x <b; echo three");
	expect_data(fd, "one\n");
	close(fd);
	streams_turn(&streams);
	bench_client(b, &more, "echo >a");
	bench_until(b, &more.done);
	fd = streams_open_one(&streams, "out");
	assert_true(streams_silent(&streams, fd));
	streams_window(&streams, fd, 65536);
	expect_data(fd, "two\n");
	/* And once more, while the old connection still seems to be there. */
	second = streams_open_one(&streams, "out");
	expect_end(fd);
	streams_window(&streams, second, 65536);
	bench_client(b, &more, "echo >b");
	bench_until(b, &more.done);
	expect_data(second, "three\n");
	expect_end(second);
	assert_true(streams_silent(&streams, fd));
	close(fd);
	streams_turn(&streams);
	process_ends(b, &process);
	assert_false(stdio_handed(&b->io));
	close(second);
	streams_turn(&streams);
	assert_true(stdio_drained(&b->io));
}

/* The exit while nobody is there is told at once, and Delete does not wait for a reader. */
static void test_exit_without_client(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	bench_start(b, &process, "echo hello");
	close(fd);
	streams_turn(&streams);
	process_ends(b, &process);
	if (!stdio_handed(&b->io))
		bench_until(b, &b->handed);
	assert_false(stdio_drained(&b->io));
	stdio_end_unread(&b->io);
	assert_true(stdio_drained(&b->io));
}

/* But one that comes before that gets it all. */
static void test_client_after_the_exit(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	bench_start(b, &process, "echo hello");
	close(fd);
	streams_turn(&streams);
	process_ends(b, &process);
	fd = streams_open_one(&streams, "out");
	streams_window(&streams, fd, 65536);
	expect_data(fd, "hello\n");
	expect_end(fd);
	streams_finish(&streams, fd);
	assert_true(stdio_drained(&b->io));
	close(fd);
}

/*
 * A client of 2.4 gives a stream up when 64 messages are unread. Only its updates show that it
 * reads, and for little output there are none: then what is said is put together.
 */
static void test_little_at_a_time(void **state)
{
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);
	unsigned int messages = 0;
	size_t total = 0;

	streams_window(&streams, fd, 65536);
	streams_window(&streams, fd, 65536);
	bench_start(b, &process,
		    "n=0; while [ $n -lt 400 ]; do n=$((n + 1)); echo x; "
		    "[ $((n % 8)) != 0 ] || sleep 0.001; done");
	while (total < 800) {
		assert_true(streams_hear(&streams, fd, &heard));
		assert_string_equal(heard.type, DATA);
		total += heard.n;
		messages++;
	}
	assert_in_range(messages, 2, 64);
	process_ends(b, &process);
	expect_end(fd);
	close(fd);
}

/* --- input -------------------------------------------------------------------------------- */

static void test_input(void **state)
{
	struct bench *b = *state;
	struct job process;
	int in, fd = open_in_out(b, &in);

	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "cat; echo end");
	expect_window(in, TUNNEL_WINDOW);
	streams_data(&streams, in, "hello\n", 6);
	expect_data(fd, "hello\n");
	streams_data(&streams, in, "", 0);
	/* The client's end is none for the process before CloseIO, and the other way round. */
	stdio_close_stdin(&b->io);
	streams_data(&streams, in, "more\n", 5);
	expect_data(fd, "more\n");
	streams_finish(&streams, in);
	expect_data(fd, "end\n");
	expect_end(in);
	process_ends(b, &process);
	close(fd);
	close(in);
}

static void test_close_first(void **state)
{
	struct bench *b = *state;
	struct job process;
	int in, fd = open_in_out(b, &in);

	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "cat; echo end");
	expect_window(in, TUNNEL_WINDOW);
	streams_data(&streams, in, "hello\n", 6);
	streams_finish(&streams, in);
	close(in);
	expect_data(fd, "hello\n");
	assert_true(streams_silent(&streams, fd));
	/* Another client may go on. */
	in = streams_open_one(&streams, "in");
	expect_window(in, TUNNEL_WINDOW);
	streams_data(&streams, in, "again\n", 6);
	expect_data(fd, "again\n");
	close(in);
	streams_turn(&streams);
	stdio_close_stdin(&b->io);
	expect_data(fd, "end\n");
	process_ends(b, &process);
	close(fd);
}

/* The client says everything and is gone before anything of it was read, or answered. */
static void test_input_of_one_who_left(void **state)
{
	struct bench *b = *state;
	uint8_t *bytes = calloc(1, TUNNEL_WINDOW);
	struct job process;
	int in, fd = open_in_out(b, &in);

	assert_non_null(bytes);
	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "wc -c");
	expect_window(in, TUNNEL_WINDOW);
	streams.at_once = true;
	for (int i = 0; i < 4; i++)
		streams_data(&streams, in, bytes, TUNNEL_WINDOW / 4);
	streams_finish(&streams, in);
	close(in);
	streams.at_once = false;
	stdio_close_stdin(&b->io);
	assert_true(streams_hear(&streams, fd, &heard));
	assert_int_equal(atoi((const char *)heard.bytes), TUNNEL_WINDOW);
	process_ends(b, &process);
	free(bytes);
	close(fd);
}

/* The process does not read: the client's window is not opened again, and no more is kept. */
static void test_input_unread(void **state)
{
	struct bench *b = *state;
	uint8_t *bytes = calloc(1, TUNNEL_WINDOW);
	struct job process, more;
	int in, fd = open_in_out(b, &in);
	uint64_t total = 0;

	assert_non_null(bytes);
	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "mkfifo go; read x <go; wc -c");
	do {
		expect_window(in, TUNNEL_WINDOW);
		streams_data(&streams, in, bytes, TUNNEL_WINDOW);
		total += TUNNEL_WINDOW;
		/* What fits into the pipe is asked for, sooner or later. */
	} while (total < 65536 || (total < (1 << 20) && streams_peek(in, FRAME_HEADER)));
	assert_in_range(total, 65536, 65536 + 2 * TUNNEL_WINDOW);
	stdio_close_stdin(&b->io);
	bench_client(b, &more, "echo >go");
	bench_until(b, &more.done);
	expect_window(in, TUNNEL_WINDOW);
	streams_finish(&streams, in);
	assert_true(streams_hear(&streams, fd, &heard));
	assert_int_equal(atoi((const char *)heard.bytes), total);
	process_ends(b, &process);
	free(bytes);
	close(fd);
	close(in);
}

/* The process has closed its input: the client is told. */
static void test_input_refused(void **state)
{
	struct bench *b = *state;
	struct job process;
	int in, fd = open_in_out(b, &in);

	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "exec <&-; echo closed; read x <go");
	expect_window(in, TUNNEL_WINDOW);
	expect_data(fd, "closed\n");
	streams_data(&streams, in, "x", 1);
	expect_end(in);
	process_ends(b, &process);
	close(fd);
	close(in);
}

static void test_input_beyond_the_window(void **state)
{
	struct bench *b = *state;
	uint8_t *bytes = calloc(1, TUNNEL_WINDOW + 1);
	struct job process;
	int in, fd = open_in_out(b, &in);

	assert_non_null(bytes);
	streams_window(&streams, fd, 65536);
	bench_start(b, &process, "cat");
	expect_window(in, TUNNEL_WINDOW);
	streams_data(&streams, in, bytes, TUNNEL_WINDOW + 1);
	expect_code(in, 8);
	close(in);
	/* The process is none the wiser. */
	in = streams_open_one(&streams, "in");
	expect_window(in, TUNNEL_WINDOW);
	streams_data(&streams, in, "hello\n", 6);
	expect_data(fd, "hello\n");
	close(in);
	streams_turn(&streams);
	stdio_close_stdin(&b->io);
	process_ends(b, &process);
	free(bytes);
	close(fd);
}

/* --- terminals ---------------------------------------------------------------------------- */

static void test_terminal(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .err = "", .terminal = true, .tunnels = &streams.tunnels };
	int fd = streams_open_one(&streams, "out"), in = streams_open_one(&streams, "in");
	struct err err;
	int master, slave;

	spec.out = streams_address(&streams, "out");
	spec.in = streams_address(&streams, "in");
	bench_open(b, &spec);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	bench_send_fds(b, &master, 1);
	close(master);
	assert_int_equal(stdio_engine_done(&b->io, &err), 0);
	assert_int_equal(stdio_resize(&b->io, 80, 25, &err), 0);
	streams_window(&streams, fd, 65536);
	expect_window(in, TUNNEL_WINDOW);
	assert_int_equal(write(slave, "hello\n", 6), 6);
	expect_data(fd, "hello\r\n");
	streams_data(&streams, in, "typed\n", 6);
	expect_data(fd, "typed\r\n"); /* its echo */
	stdio_process_exited(&b->io);
	expect_end(in);
	close(slave);
	expect_end(fd);
	close(fd);
	close(in);
	streams_turn(&streams);
	assert_true(stdio_drained(&b->io));
}

/* An exec that is refused says so on its terminal, which it never gets. */
static void test_say_on_a_terminal(void **state)
{
	struct bench *b = *state;
	struct stdio_spec spec = { .in = "", .err = "", .terminal = true };
	int fd = streams_open_one(&streams, "out");
	struct err err;

	spec.tunnels = &streams.tunnels;
	spec.out = streams_address(&streams, "out");
	bench_open(b, &spec);
	streams_window(&streams, fd, 65536);
	assert_int_equal(stdio_say(&b->io, "no such program", &err), 0);
	expect_data(fd, "no such program\r\n");
	expect_end(fd);
	close(fd);
}

/* --- addresses and hostile clients -------------------------------------------------------- */

static enum err_code open_code(struct bench *b, const char *out)
{
	struct stdio_spec spec = { .in = "", .err = "", .tunnels = &streams.tunnels };
	struct stdio io = STDIO_INIT;
	struct err err = ERR_INIT;

	spec.out = out;
	spec.dir = b->dir;
	spec.console = "pty";
	if (stdio_open(&io, &b->loop, &b->reaper, &spec, &err) < 0)
		return err.code;
	stdio_deinit(&io);
	return ERR_NONE;
}

static void test_addresses(void **state)
{
	struct bench *b = *state;
	int fd = open_out(b);
	char address[256];

	assert_int_equal(open_code(b, streams_address(&streams, "out")), ERR_EXISTS);
	assert_int_equal(open_code(b, streams_address(&streams, "other")), ERR_PRECONDITION);
	assert_int_equal(open_code(b, streams_address(&streams, "")), ERR_INVALID);
	str_fmt(address, sizeof(address), "ttrpc+unix://%s", streams.socket);
	assert_int_equal(open_code(b, address), ERR_INVALID);
	str_fmt(address, sizeof(address), "ttrpc+unix://%s?a=b&streaming_id=%%6fut&c",
		streams.socket);
	assert_int_equal(open_code(b, address), ERR_EXISTS);
	assert_int_equal(open_code(b, "ttrpc+unix:///run/other?streaming_id=out"), ERR_UNSUPPORTED);
	assert_int_equal(open_code(b, "ttrpc+unix://host/x?streaming_id=out"), ERR_UNSUPPORTED);
	assert_int_equal(open_code(b, "grpc+vsock://3:1024?streaming_id=out"), ERR_UNSUPPORTED);
	assert_int_equal(open_code(b, "ttrpc+hvsock:///x:1?streaming_id=out"), ERR_UNSUPPORTED);
	assert_int_equal(open_code(b, "streaming://out"), ERR_UNSUPPORTED);
	close(fd);
}

/* A stream that no process has: opened and left, opened twice, told nonsense. */
static void test_streams_without_process(void **state)
{
	char long_id[TUNNEL_ID_MAX + 2];
	int fd = streams_open_one(&streams, "a"), other;

	(void)state;
	streams_window(&streams, fd, 65536);
	other = streams_open_one(&streams, "a");
	expect_end(fd);
	close(fd);
	streams_finish(&streams, other);
	expect_end(other);
	assert_true(list_empty(&streams.tunnels.all));
	close(other);

	memset(long_id, 'x', sizeof(long_id));
	long_id[sizeof(long_id) - 1] = '\0';
	fd = streams_dial(&streams);
	streams_request(&streams, fd, 1, FRAME_OPEN);
	streams_init(&streams, fd, long_id);
	expect_code(fd, 3);
	close(fd);
	fd = streams_dial(&streams);
	streams_request(&streams, fd, 1, FRAME_OPEN);
	streams_window(&streams, fd, 1);
	expect_code(fd, 3);
	close(fd);
	fd = streams_dial(&streams);
	streams_request(&streams, fd, 1, FRAME_OPEN);
	streams_finish(&streams, fd);
	expect_end(fd);
	close(fd);
	fd = streams_dial(&streams);
	streams_request(&streams, fd, 1, FRAME_OPEN);
	streams_init(&streams, fd, "");
	expect_code(fd, 3);
	close(fd);
}

static void test_nonsense(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} messages[] = {
		{ "", 0 },
		{ "\xff\xff\xff", 3 },
		{ "\x0a\x7f", 2 },
		{ "\x0a\x05"
		  "Empty",
		  7 },
		{ "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
		{ "\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12 },
	};
	struct frame head = { .stream = 1, .type = FRAME_DATA };
	struct bench *b = *state;
	struct job process;
	int fd = open_out(b);

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		streams_put_frame(&streams, fd, head, messages[i].bytes, messages[i].n);
		expect_code(fd, 3);
		close(fd);
		fd = streams_open_one(&streams, "out");
	}
	/* Data to an output, no window, a negative one. */
	streams_data(&streams, fd, "x", 1);
	expect_code(fd, 3);
	close(fd);
	fd = streams_open_one(&streams, "out");
	streams_window(&streams, fd, 0);
	expect_code(fd, 3);
	close(fd);
	fd = streams_open_one(&streams, "out");
	streams_window(&streams, fd, UINT64_MAX);
	expect_code(fd, 3);
	close(fd);
	/* The largest there is, over and over. */
	fd = streams_open_one(&streams, "out");
	for (int i = 0; i < 4; i++)
		streams_window(&streams, fd, INT32_MAX);
	bench_start(b, &process, "echo hello");
	expect_data(fd, "hello\n");
	process_ends(b, &process);
	close(fd);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_output),
		T(test_client_leaves_at_the_end),
		T(test_window),
		T(test_much),
		T(test_nothing_written),
		T(test_unread),
		T(test_descendant),
		T(test_client_comes_back),
		T(test_exit_without_client),
		T(test_client_after_the_exit),
		T(test_little_at_a_time),
		T(test_input),
		T(test_close_first),
		T(test_input_of_one_who_left),
		T(test_input_unread),
		T(test_input_refused),
		T(test_input_beyond_the_window),
		T(test_terminal),
		T(test_say_on_a_terminal),
		T(test_addresses),
		T(test_streams_without_process),
		T(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
