/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/stdio.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>

#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "shim/host/console.h"
#include "shim/host/handover.h"
#include "shim/host/stdio_open.h"

static void stream_close(struct stream *s)
{
	relay_stop(&s->relay);
	tunnel_free(steal(s->tunnel));
	fifo_deinit(&s->client);
	fd_close(&s->inner);
}

static bool output_open(const struct stdio_streams *all)
{
	return stream_open(&all->of[STREAM_OUT]) || stream_open(&all->of[STREAM_ERR]);
}

static void driver_drop(struct stdio_streams *all)
{
	if (!all->driver)
		return;
	logger_deinit(&all->driver->logger);
	free(steal(all->driver));
}

static struct stdio_streams *streams_free(struct stdio_streams *all)
{
	if (!all)
		return NULL;
	timer_disarm(&all->drain);
	timer_disarm(&all->hold);
	timer_disarm(&all->look);
	for (int n = 0; n < STREAM_N; n++)
		stream_close(&all->of[n]);
	console_close(all->dir, all->engine->console_socket, &all->console_fd);
	driver_drop(all);
	free(all);
	return NULL;
}

/* True while any stream, the console or a driver needs us. */
static bool streams_needed(const struct stdio_streams *all)
{
	return stream_open(&all->of[STREAM_IN]) || output_open(all) || all->driver ||
	       all->console_fd >= 0;
}

/* Calls on_drained when everything has gone through. @all and its owner may be gone afterwards. */
static void check_drained(struct stdio_streams *all)
{
	struct stdio *io = all->io;
	bool handed = all->handed;

	if (!all->exited || output_open(all) || all->driver)
		return;
	io->streams = streams_free(all);
	if (!handed && io->on_handed)
		io->on_handed(io);
	else if (handed && io->on_drained)
		io->on_drained(io);
}

/*
 * The relay is through. Our writing end is closed where a client is there to read end of file; one
 * that comes back later could not open the FIFO without it. Our reading end shows when the client
 * has read all.
 */
static void close_read(struct stream *s)
{
	if (!stream_unread(s))
		return;
	if (!fifo_unread(&s->client))
		stream_close(s);
	else if (s->client.fd >= 0 && fifo_has_reader(&s->client))
		fifo_end(&s->client);
}

static void on_look(struct timer *t)
{
	struct stdio_streams *all = container_of(t, struct stdio_streams, look);
	struct stdio *io = all->io;
	bool tell = !all->handed && handover_over(all);

	close_read(&all->of[STREAM_OUT]);
	close_read(&all->of[STREAM_ERR]);
	if (!output_open(all) && !all->driver) {
		check_drained(all);
		return;
	}
	all->handed = all->handed || tell;
	handover_look_again(all);
	if (tell && io->on_handed)
		io->on_handed(io);
}

/*
 * A stream is through; the drain timer is left to run for the others. A driver whose input just
 * ended gets the whole bound to notice and to finish.
 */
static void output_ended(struct stdio_streams *all)
{
	if (all->exited && all->driver && !output_open(all))
		timer_arm(&all->drain, all->loop, STDIO_DRAIN);
	if (all->exited && !timer_armed(&all->look))
		handover_look_again(all);
	check_drained(all);
}

static int stream_start(struct stream *s, struct err *err);

/*
 * Nobody takes the output any more: the logging driver died, or the disk is full. A terminal is
 * read all the same, because to close it would hang up on the process.
 */
static bool read_on(struct stream *s)
{
	struct err ignored;

	if (s == &s->all->of[STREAM_IN] || !isatty(s->inner))
		return false;
	fifo_deinit(&s->client);
	s->client.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return stream_start(s, &ignored) == 0 && relay_running(&s->relay);
}

static void on_relay_end(struct relay *r, int errnum)
{
	struct stream *s = container_of(r, struct stream, relay);

	if (errnum && read_on(s))
		return;
	if (s == &s->all->of[STREAM_IN] || errnum) {
		stream_close(s);
	} else {
		fd_close(&s->inner);
		close_read(s);
	}
	if (s != &s->all->of[STREAM_IN])
		output_ended(s->all);
}

/* The client left, or nothing will go through the tunnel any more. */
static void on_tunnel_change(struct tunnel *t)
{
	struct stream *s = t->owner;
	bool input = s == &s->all->of[STREAM_IN];

	if (!t->over && (input || !s->all->ending || tunnel_attached(t)))
		return;
	stream_close(s);
	if (!input)
		output_ended(s->all);
}

/* Starts the relay of a stream whose two ends are there; otherwise nothing. */
static int stream_start(struct stream *s, struct err *err)
{
	bool input = s == &s->all->of[STREAM_IN];
	int from = input ? s->client.fd : s->inner;
	int to = input ? s->inner : s->client.fd;

	if (s->tunnel)
		return s->inner < 0 ? 0
				    : tunnel_start(s->tunnel, s->all->loop, s->inner, input,
						   on_tunnel_change, err);
	if (from < 0 || to < 0 || relay_running(&s->relay))
		return 0;
	return relay_start(&s->relay, s->all->loop, from, to, on_relay_end, err);
}

/* One more end is open, or will not be. @all and its owner may be gone afterwards. */
static void readiness_changed(struct stdio_streams *all, const struct err *failed)
{
	struct stdio *io = all->io;

	if (all->exited) {
		output_ended(all);
		return;
	}
	if (all->failed || (!failed && !stdio_is_ready(io)))
		return;
	all->failed = failed != NULL;
	if (io->on_ready)
		io->on_ready(io, failed);
}

static void on_fifo_open(struct fifo *f, const struct err *failed)
{
	struct stream *s = container_of(f, struct stream, client);
	struct err err = ERR_INIT;

	if (!failed && s->all->flowing && stream_start(s, &err) < 0)
		failed = &err;
	if (failed)
		stream_close(s);
	readiness_changed(s->all, failed);
}

static void on_driver_ready(struct logger *l, const struct err *failed)
{
	struct stdio_streams *all = container_of(l, struct driver, logger)->all;

	if (!failed && !l->running)
		driver_drop(all);
	readiness_changed(all, failed);
}

static void on_driver_exit(struct logger *l)
{
	struct driver *d = container_of(l, struct driver, logger);
	struct stdio_streams *all = d->all;

	/* Its last words on the ready pipe may still be unread: without them it failed. */
	if (!all->exited && !l->is_ready)
		return;
	driver_drop(all);
	check_drained(all);
}

static void on_drain(struct timer *t)
{
	struct stdio_streams *all = container_of(t, struct stdio_streams, drain);
	bool had_output = output_open(all);

	for (int n = STREAM_OUT; all->terminal && n <= STREAM_ERR; n++)
		if (stream_open(&all->of[n]) && !stream_draining(&all->of[n]))
			stream_close(&all->of[n]);
	if (!had_output)
		driver_drop(all);
	if (all->terminal || all->driver)
		timer_arm(&all->drain, all->loop, STDIO_DRAIN);
	check_drained(all);
}

static int start_outputs(struct stdio_streams *all, struct err *err)
{
	timer_disarm(&all->hold);
	all->flowing = true;
	if (stream_start(&all->of[STREAM_OUT], err) < 0)
		return -1;
	return stream_start(&all->of[STREAM_ERR], err);
}

/*
 * What comes before the engine is done is held in the pipes. One that says more than a few words,
 * or lets a hook do so, must not wait at a full pipe for us, who wait for its end.
 */
#define HOLD_BYTES (16u << 10)
#define HOLD_LOOK_NS MS_TO_NS(20)

static bool holds_much(const struct stream *s)
{
	return stream_pending(s) >= HOLD_BYTES;
}

static void on_hold(struct timer *t)
{
	struct stdio_streams *all = container_of(t, struct stdio_streams, hold);
	struct err err;

	if (!holds_much(&all->of[STREAM_OUT]) && !holds_much(&all->of[STREAM_ERR]))
		timer_arm(&all->hold, all->loop, HOLD_LOOK_NS);
	else if (start_outputs(all, &err) < 0) /* tried again, and told, when the engine is done */
		log_write(LOG_DEBUG, LOG_NOTHING, LOG_FIELDS(.error = err.text),
			  "output of an engine");
}

static struct stdio_streams *streams_new(struct stdio *io, struct loop *loop)
{
	struct stdio_streams *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->io = io;
	all->engine = &io->engine;
	all->loop = loop;
	all->console_fd = -1;
	all->drain.on_fire = on_drain;
	all->hold.on_fire = on_hold;
	all->look.on_fire = on_look;
	all->patience = STDIO_PATIENCE;
	for (int n = 0; n < STREAM_N; n++)
		all->of[n] = (struct stream){ .all = all,
					      .client = { .fd = -1, .other = -1 },
					      .inner = -1 };
	return all;
}

static const struct stream_callbacks callbacks = {
	.on_fifo_open = on_fifo_open,
	.on_driver_ready = on_driver_ready,
	.on_driver_exit = on_driver_exit,
};

/* What is given to a process on its input may come at once. */
static int open_streams(struct stdio_streams *all, struct reaper *reaper,
			const struct stdio_spec *spec, struct err *err)
{
	if (streams_open(all, reaper, spec, &callbacks, err) < 0)
		return -1;
	return stream_start(&all->of[STREAM_IN], err) < 0 ? err_in(err, "stdin") : 0;
}

int stdio_open(struct stdio *io, struct loop *loop, struct reaper *reaper,
	       const struct stdio_spec *spec, struct err *err)
{
	for (int n = 0; n < STREAM_N; n++)
		io->engine.fds[n] = -1;
	io->engine.console_socket[0] = '\0';
	io->streams = streams_new(io, loop);
	if (!io->streams)
		return err_set(err, ERR_NOMEM, "no memory for a process' streams");
	if (open_streams(io->streams, reaper, spec, err) < 0) {
		stdio_deinit(io);
		return -1;
	}
	if (!streams_needed(io->streams))
		io->streams = streams_free(io->streams);
	return 0;
}

void stdio_engine_begins(struct stdio *io)
{
	struct stdio_streams *all = io->streams;

	if (all && (all->of[STREAM_OUT].inner >= 0 || all->of[STREAM_ERR].inner >= 0))
		timer_arm(&all->hold, all->loop, HOLD_LOOK_NS);
}

bool stdio_is_ready(const struct stdio *io)
{
	const struct stdio_streams *all = io->streams;

	if (!all)
		return true;
	return !all->failed && !fifo_waiting(&all->of[STREAM_OUT].client) &&
	       !fifo_waiting(&all->of[STREAM_ERR].client) &&
	       (!all->driver || all->driver->logger.is_ready);
}

/* The terminal is written and read by two relays: epoll wants a descriptor for each. */
static int take_console(struct stdio_streams *all, struct err *err)
{
	struct stream *out = &all->of[STREAM_OUT], *in = &all->of[STREAM_IN];

	if (console_receive(all->console_fd, &out->inner, err) < 0)
		return -1;
	console_close(all->dir, all->engine->console_socket, &all->console_fd);
	if (in->client.fd >= 0 || in->tunnel) {
		in->inner = fcntl(out->inner, F_DUPFD_CLOEXEC, 3);
		if (in->inner < 0)
			return err_sys(err, ERR_IO, "duplicate the terminal");
	}
	if (stream_start(in, err) < 0)
		return -1;
	return stream_start(out, err);
}

int stdio_engine_done(struct stdio *io, struct err *err)
{
	struct stdio_streams *all = io->streams;

	for (int n = 0; n < STREAM_N; n++)
		fd_close(&io->engine.fds[n]);
	if (!all)
		return 0;
	if (all->console_fd < 0)
		return start_outputs(all, err);
	timer_disarm(&all->hold);
	all->flowing = true;
	return take_console(all, err);
}

int stdio_engine_words(const struct stdio *io)
{
	const struct stdio_streams *all = io->streams;

	return all && !all->flowing ? all->of[STREAM_ERR].inner : -1;
}

int stdio_say(struct stdio *io, const char *line, struct err *err)
{
	struct stdio_streams *all = io->streams;
	bool terminal = all && all->terminal;
	int fd = terminal ? all->of[STREAM_OUT].client.fd : io->engine.fds[STREAM_ERR];
	const char *end = terminal ? "\r\n" : "\n";
	CLEANUP_FD int instead = -1;

	/* A tunnel reads from a pipe what it would read from the terminal. */
	if (terminal && all->of[STREAM_OUT].tunnel) {
		if (fd_pipe(&all->of[STREAM_OUT].inner, &instead, O_NONBLOCK, err) < 0)
			return -1;
		fd = instead;
	}
	/* It fits into a pipe that nobody has written to yet, so this never waits. */
	if (fd >= 0 &&
	    (fd_write_all(fd, line, strlen(line)) < 0 || fd_write_all(fd, end, strlen(end)) < 0))
		return err_sys(err, ERR_IO, "write to the streams of a process");
	if (terminal) {
		console_close(all->dir, io->engine.console_socket, &all->console_fd);
		close_read(&all->of[STREAM_OUT]);
	}
	return stdio_engine_done(io, err);
}

void stdio_close_stdin(struct stdio *io)
{
	if (!io->streams)
		return;
	fd_close(&io->streams->of[STREAM_IN].client.other);
	if (io->streams->of[STREAM_IN].tunnel)
		tunnel_close_input(io->streams->of[STREAM_IN].tunnel);
}

int stdio_resize(struct stdio *io, unsigned int width, unsigned int height, struct err *err)
{
	struct winsize size = { .ws_col = (unsigned short)(width < USHRT_MAX ? width : USHRT_MAX),
				.ws_row =
					(unsigned short)(height < USHRT_MAX ? height : USHRT_MAX) };
	int fd = io->streams ? io->streams->of[STREAM_OUT].inner : -1;

	if (fd < 0 || !isatty(fd))
		return 0;
	return ioctl(fd, TIOCSWINSZ, &size) < 0 ? err_sys(err, ERR_IO, "resize the terminal") : 0;
}

void stdio_process_exited(struct stdio *io)
{
	struct stdio_streams *all = io->streams;

	if (!all || all->exited)
		return;
	all->exited = true;
	stream_close(&all->of[STREAM_IN]);
	close_read(&all->of[STREAM_OUT]);
	close_read(&all->of[STREAM_ERR]);
	if (!output_open(all) && !all->driver) {
		io->streams = streams_free(all);
		return;
	}
	all->of[STREAM_OUT].relay.moved = all->of[STREAM_ERR].relay.moved = false;
	if (all->terminal || all->driver)
		timer_arm(&all->drain, all->loop, STDIO_DRAIN);
	handover_begin(all);
}

bool stdio_handed(const struct stdio *io)
{
	return !io->streams || io->streams->handed;
}

void stdio_hurry(struct stdio *io)
{
	if (io->streams)
		io->streams->patience = STDIO_HURRY;
}

void stdio_end_unread(struct stdio *io)
{
	struct stdio_streams *all = io->streams;

	if (!all || !all->exited)
		return;
	all->ending = true;
	for (int n = STREAM_OUT; n <= STREAM_ERR; n++)
		if (stream_deserted(&all->of[n]))
			stream_close(&all->of[n]);
	if (!output_open(all) && !all->driver)
		io->streams = streams_free(all);
}

bool stdio_drained(const struct stdio *io)
{
	return !io->streams;
}

void stdio_give_up(struct stdio *io)
{
	io->streams = streams_free(io->streams);
}

void stdio_deinit(struct stdio *io)
{
	for (int n = 0; n < STREAM_N; n++)
		fd_close(&io->engine.fds[n]);
	stdio_give_up(io);
}
