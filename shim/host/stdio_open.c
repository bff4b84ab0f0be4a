/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/stdio_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "shim/host/console.h"
#include "shim/host/uri.h"

/* A pipe whose @ret_ours end is non-blocking; the other one belongs to the container's user. */
static int engine_pipe(const struct stdio_spec *spec, bool input, int *ret_ours, int *ret_engine,
		       struct err *err)
{
	CLEANUP_FD int r = -1;
	CLEANUP_FD int w = -1;
	int *ours = input ? &w : &r;

	if (fd_pipe(&r, &w, 0, err) < 0)
		return -1;
	if (fchown(r, spec->io_uid, spec->io_gid) < 0 || fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, ERR_IO, "prepare a pipe");
	*ret_ours = fd_steal(ours);
	*ret_engine = fd_steal(input ? &r : &w);
	return 0;
}

static int open_direct(const char *path, int flags, int *ret_fd, struct err *err)
{
	*ret_fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0644);
	return *ret_fd < 0 ? err_sys(err, ERR_IO, "open %s", path) : 0;
}

static int unknown_scheme(const char *scheme, struct err *err)
{
	return err_set(err, ERR_INVALID, "unknown STDIO scheme %s", scheme);
}

/* A plain path, or fifo:// in front of one. */
static int plain_path(const char *s, const char **ret, struct err *err)
{
	char scheme[URI_SCHEME_MAX];

	*ret = uri_scheme(s, scheme);
	return *scheme && !str_eq(scheme, "fifo") ? unknown_scheme(scheme, err) : 0;
}

/* The process gets a pipe, or with a terminal nothing yet. */
static int open_tunnel(struct stdio_streams *all, const struct stdio_spec *spec, int n,
		       const char *address, struct err *err)
{
	struct stream *s = &all->of[n];

	if (tunnel_take(spec->tunnels, address, s, &s->tunnel, err) < 0)
		return -1;
	if (spec->terminal)
		return 0;
	return engine_pipe(spec, n == STREAM_IN, &s->inner, &all->engine->fds[n], err);
}

static int open_input(struct stdio_streams *all, const struct stdio_spec *spec, struct err *err)
{
	struct stream *s = &all->of[STREAM_IN];
	int *direct = &all->engine->fds[STREAM_IN];
	bool is_fifo = false;
	const char *path;

	if (tunnel_is(spec->in))
		return open_tunnel(all, spec, STREAM_IN, spec->in, err);
	if (plain_path(spec->in, &path, err) < 0)
		return -1;
	if (!*path)
		return 0;
	if (fifo_is(path, &is_fifo, err) < 0)
		return -1;
	if (!is_fifo && spec->terminal)
		return err_set(err, ERR_INVALID, "%s is not a FIFO", path);
	if (!is_fifo)
		return open_direct(path, O_RDONLY, direct, err);
	if (fifo_open_read(&s->client, path, err) < 0)
		return -1;
	if (spec->terminal)
		return 0;
	return engine_pipe(spec, true, &s->inner, direct, err);
}

/* Output to a FIFO goes through a relay, a tunnel is one; anything else is the process' own, or the
 * terminal's. */
static int open_output(struct stdio_streams *all, const struct stdio_spec *spec, int n,
		       const char *where, const struct stream_callbacks *on, struct err *err)
{
	struct stream *s = &all->of[n];
	int *engine = &all->engine->fds[n];
	int *direct = spec->terminal ? &s->client.fd : engine;
	bool is_fifo = false;
	const char *path;

	if (tunnel_is(where))
		return open_tunnel(all, spec, n, where, err);
	if (plain_path(where, &path, err) < 0)
		return -1;
	if (!*path)
		return spec->terminal ? open_direct("/dev/null", O_WRONLY, direct, err) : 0;
	if (fifo_is(path, &is_fifo, err) < 0)
		return -1;
	if (!is_fifo)
		return open_direct(path, O_WRONLY | O_APPEND, direct, err);
	if (!spec->terminal && engine_pipe(spec, false, &s->inner, engine, err) < 0)
		return -1;
	return fifo_open_write(&s->client, all->loop, path, on->on_fifo_open, err);
}

static int open_outputs(struct stdio_streams *all, const struct stdio_spec *spec,
			const struct stream_callbacks *on, struct err *err)
{
	if (open_output(all, spec, STREAM_OUT, spec->out, on, err) < 0)
		return err_in(err, "stdout");
	if (!spec->terminal && open_output(all, spec, STREAM_ERR, spec->err, on, err) < 0)
		return err_in(err, "stderr");
	return 0;
}

/* file:// names one file for both streams; it is made, with its directory, when missing. */
static int open_file(struct stdio_streams *all, const struct stdio_spec *spec, const char *rest,
		     struct err *err)
{
	CLEANUP_FREE char *path = strdup(rest);
	int *fds = all->engine->fds;
	int *to = spec->terminal ? &all->of[STREAM_OUT].client.fd : &fds[STREAM_OUT];
	char *slash, *query;

	if (!path)
		return err_set(err, ERR_NOMEM, "no memory for a path");
	if (uri_split(path, &query, err) < 0)
		return -1;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (*path && dir_make(path, 0755, err) < 0)
		return -1;
	*slash = '/';
	if (open_direct(path, O_WRONLY | O_APPEND | O_CREAT, to, err) < 0)
		return -1;
	if (spec->terminal || !*spec->err)
		return 0;
	fds[STREAM_ERR] = fcntl(*to, F_DUPFD_CLOEXEC, 3);
	return fds[STREAM_ERR] < 0 ? err_sys(err, ERR_IO, "duplicate %s", path) : 0;
}

/*
 * binary:// - the process writes straight into the driver's pipes. A terminal's output is relayed
 * into the first; the second then ends at once.
 */
static int open_driver(struct stdio_streams *all, struct reaper *reaper,
		       const struct stdio_spec *spec, const struct stream_callbacks *on,
		       struct err *err)
{
	CLEANUP_FD int out_r = -1;
	CLEANUP_FD int out_w = -1;
	CLEANUP_FD int err_r = -1;
	CLEANUP_FD int err_w = -1;
	struct logger_spec what = { .uri = spec->out,
				    .id = spec->id,
				    .ns = spec->ns,
				    .on_ready = on->on_driver_ready,
				    .on_exit = on->on_driver_exit };

	if (fd_pipe(&out_r, &out_w, 0, err) < 0 || fd_pipe(&err_r, &err_w, 0, err) < 0)
		return -1;
	if (fchown(out_w, spec->io_uid, spec->io_gid) < 0 ||
	    fchown(err_w, spec->io_uid, spec->io_gid) < 0 ||
	    (spec->terminal && fcntl(out_w, F_SETFL, O_NONBLOCK) < 0))
		return err_sys(err, ERR_IO, "prepare a pipe");
	all->driver = calloc(1, sizeof(*all->driver));
	if (!all->driver)
		return err_set(err, ERR_NOMEM, "no memory for a logging driver");
	all->driver->all = all;
	what.out = out_r;
	what.err = err_r;
	if (logger_start(&all->driver->logger, reaper, &what, err) < 0)
		return -1;
	if (spec->terminal) {
		all->of[STREAM_OUT].client.fd = fd_steal(&out_w);
	} else {
		all->engine->fds[STREAM_OUT] = fd_steal(&out_w);
		all->engine->fds[STREAM_ERR] = fd_steal(&err_w);
	}
	return 0;
}

static int open_console(struct stdio_streams *all, const struct stdio_spec *spec, struct err *err)
{
	char *name = all->engine->console_socket;

	if (!str_copy(name, sizeof(all->engine->console_socket), spec->console))
		return err_set(err, ERR_INVALID, "name of a console socket is too long: %s",
			       spec->console);
	all->dir = spec->dir;
	if (console_listen(spec->dir, name, &all->console_fd, err) == 0)
		return 0;
	*name = '\0';
	return -1;
}

/* A driver or a file of stdout is stderr's too; stdin is a FIFO or a tunnel. */
int streams_open(struct stdio_streams *all, struct reaper *reaper, const struct stdio_spec *spec,
		 const struct stream_callbacks *on, struct err *err)
{
	char scheme[URI_SCHEME_MAX];
	const char *rest = uri_scheme(spec->out, scheme);
	int r;

	all->terminal = spec->terminal;
	if (open_input(all, spec, err) < 0)
		return err_in(err, "stdin");
	if (!*scheme || str_eq(scheme, "fifo") || tunnel_is(spec->out))
		r = open_outputs(all, spec, on, err);
	else if (str_eq(scheme, "file"))
		r = open_file(all, spec, rest, err);
	else if (str_eq(scheme, "binary") || str_eq(scheme, "binary-v2"))
		r = open_driver(all, reaper, spec, on, err);
	else
		r = unknown_scheme(scheme, err);
	return r < 0 || !spec->terminal ? r : open_console(all, spec, err);
}
