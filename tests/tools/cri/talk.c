/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exec and Attach, with input: the runtime names a streaming server, with which we speak WebSocket
 * (RFC 6455) and in its messages v4.channel.k8s.io: the first byte is the channel, the rest what it
 * carries.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/cri/cri.h"

enum { CHANNEL_IN, CHANNEL_OUT, CHANNEL_ERR, CHANNEL_STATUS };
enum { OPCODE_BINARY = 2, OPCODE_CLOSE = 8, OPCODE_PING = 9 };

#define MESSAGE_MAX (1u << 20)

struct talk {
	bool in, tty, end;
	uint64_t pause_ms;
};

static bool read_all(int fd, void *to, size_t n)
{
	errno = 0;
	return !n || recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

/* "http://HOST:PORT/PATH" */
static int dial(char *url, const char **ret_path)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	char *host = strstr(url, "://"), *path, *port;
	int fd;

	host = host ? host + 3 : url;
	path = strchr(host, '/');
	port = strchr(host, ':');
	if (!path || !port || port > path)
		return -1;
	*path = *port = '\0';
	*ret_path = path + 1;
	if (getaddrinfo(host, port + 1, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

/* The answer ends with an empty line; what follows are messages. */
static bool upgrade(int fd, const char *path)
{
	char head[4096];
	size_t n = 0;

	if (dprintf(fd,
		    "GET /%s HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n"
		    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
		    "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n",
		    path) < 0)
		return false;
	while (n < sizeof(head) - 1 && read_all(fd, head + n, 1)) {
		head[++n] = '\0';
		if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0)
			return strncmp(head, "HTTP/1.1 101", 12) == 0;
	}
	return false;
}

/* A mask of zeros changes nothing, and a client has to send one. */
static bool send_message(int fd, uint8_t opcode, const uint8_t *bytes, size_t n)
{
	uint8_t head[14] = { (uint8_t)(0x80 | opcode), 0x80 | 126, (uint8_t)(n >> 8), (uint8_t)n };

	return fd_write_all(fd, head, 8) == 0 && fd_write_all(fd, bytes, n) == 0;
}

/* @ret_n 0 also for what is not a message with data. */
static bool receive_message(int fd, uint8_t *bytes, uint8_t *ret_opcode, size_t *ret_n)
{
	uint8_t head[2], more[8];
	unsigned int n_more;

	if (!read_all(fd, head, 2))
		return false;
	*ret_opcode = head[0] & 0xf;
	*ret_n = head[1] & 0x7f;
	n_more = *ret_n == 126 ? 2 : *ret_n == 127 ? 8 : 0;
	if (!read_all(fd, more, n_more))
		return false;
	if (n_more)
		*ret_n = 0;
	for (unsigned int i = 0; i < n_more; i++)
		*ret_n = *ret_n << 8 | more[i];
	return *ret_n <= MESSAGE_MAX && read_all(fd, bytes, *ret_n);
}

/* The exit code that the status of a command names; 0 for success. */
static int status_code(const uint8_t *json, size_t n)
{
	const char *text = strndup((const char *)json, n), *at;

	if (!text)
		abort();
	if (strstr(text, "\"Success\""))
		return CLI_DONE;
	at = strstr(text, "\"ExitCode\",\"message\":\"");
	if (at)
		return (int)strtol(at + strlen("\"ExitCode\",\"message\":\""), NULL, 10);
	fprintf(stderr, "cri-client: %s\n", text);
	return CLI_FAILED;
}

/* False: the end, with @status. */
static bool take_output(int fd, uint8_t *bytes, const struct talk *o, int *status)
{
	uint8_t opcode;
	size_t n;

	if (o->pause_ms)
		usleep((useconds_t)o->pause_ms * 1000);
	if (!receive_message(fd, bytes, &opcode, &n) || opcode == OPCODE_CLOSE)
		return false;
	if (!n || opcode >= OPCODE_PING)
		return true;
	if (bytes[0] == CHANNEL_STATUS && n > 1)
		*status = status_code(bytes + 1, n - 1);
	else if (bytes[0] == CHANNEL_OUT || bytes[0] == CHANNEL_ERR)
		return fd_write_all(bytes[0] == CHANNEL_OUT ? 1 : 2, bytes + 1, n - 1) == 0;
	return true;
}

/* False: there is no more input. */
static bool send_input(int fd)
{
	uint8_t bytes[8192];
	ssize_t n = read(STDIN_FILENO, bytes + 1, sizeof(bytes) - 1);

	bytes[0] = CHANNEL_IN;
	return n > 0 && send_message(fd, OPCODE_BINARY, bytes, (size_t)n + 1);
}

static int relay(int fd, const struct talk *o)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
			       { .fd = o->in ? STDIN_FILENO : -1, .events = POLLIN } };
	uint8_t *bytes = malloc(MESSAGE_MAX);
	int status = CLI_DONE;

	if (!bytes)
		abort();
	while (poll(p, 2, -1) > 0) {
		if (p[1].revents && !send_input(fd)) {
			p[1].fd = -1;
			if (o->end && send_message(fd, OPCODE_CLOSE, NULL, 0))
				shutdown(fd, SHUT_WR);
		}
		if (p[0].revents && !take_output(fd, bytes, o, &status))
			break;
	}
	free(bytes);
	return status;
}

static int talk(struct cri *cri, const char *method, const ProtobufCMessage *request,
		const struct talk *o)
{
	const Cri__UrlReply *reply = cri_call(cri, method, request, &cri__url_reply__descriptor);
	const char *path;
	int fd;

	if (!reply)
		return CLI_FAILED;
	errno = 0;
	fd = dial(reply->url, &path);
	if (fd < 0 || !upgrade(fd, path)) {
		fprintf(stderr, "cri-client: streaming server: %s\n",
			errno ? strerror(errno) : "no WebSocket");
		return CLI_FAILED;
	}
	return relay(fd, o);
}

#define TALK_OPTIONS                                                                                  \
	{ "stdin", 'i', CLI_FLAG, &o.in, NULL, "with input" },                                        \
		{ "tty", 't', CLI_FLAG, &o.tty, NULL, "with a terminal" },                            \
		{ "end",  0,	CLI_FLAG,                                                             \
		  &o.end, NULL, "leave at the end of the input, which is how the protocol ends it" }, \
		{ "pause", 0, CLI_NUMBER, &o.pause_ms, "MS", "wait before each message (0)" },        \
	{                                                                                             \
		NULL, 0, CLI_FLAG, NULL, NULL, NULL                                                   \
	}

static int talk_run(const struct cli_command *self, int argc, char **argv)
{
	struct talk o = { .in = false };
	const struct cli_option options[] = { TALK_OPTIONS };
	Cri__ExecRequest request = CRI__EXEC_REQUEST__INIT;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 2, SIZE_MAX, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.id = operands.v[0];
	request.cmd = operands.v + 1;
	request.n_cmd = operands.n - 1;
	request.stdin = o.in;
	request.tty = o.tty;
	request.stdout = true;
	request.stderr = !o.tty;
	return talk(&cri, "RuntimeService/Exec", &request.base, &o);
}

static int attach_run(const struct cli_command *self, int argc, char **argv)
{
	struct talk o = { .in = false };
	const struct cli_option options[] = { TALK_OPTIONS };
	Cri__AttachRequest request = CRI__ATTACH_REQUEST__INIT;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.id = operands.v[0];
	request.stdin = o.in;
	request.tty = o.tty;
	request.stdout = true;
	request.stderr = !o.tty;
	return talk(&cri, "RuntimeService/Attach", &request.base, &o);
}

const struct cli_command cmd_talk = {
	.name = "talk",
	.operands = "CONTAINER -- CMD [ARGS]",
	.summary = "run a command in a container and speak with it, as kubectl exec does",
	.run = talk_run,
};

const struct cli_command cmd_attach = {
	.name = "attach",
	.operands = "CONTAINER",
	.summary = "speak with a container, as kubectl attach does",
	.run = attach_run,
};
