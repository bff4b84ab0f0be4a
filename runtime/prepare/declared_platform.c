/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/declared_platform.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/str.h"

uint64_t declared_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void declared_parse(const char *text, struct platform *ret)
{
	const char *at, *value;
	char line[128];
	struct err err;
	size_t n;

	memset(ret, 0, sizeof(*ret));
	while (str_line(&text, &at, &n)) {
		(void)str_fmt(line, sizeof(line), "%.*s", (int)n, at);
		value = str_after(line, "platform=");
		if (value && n < sizeof(line) && platform_parse(value, ret, &err) < 0)
			memset(ret, 0, sizeof(*ret));
	}
}

/* Waits until @fd can be read, at most to @deadline_ns. */
static bool ready(int fd, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now = deadline_ns ? declared_now() : 0;
	int wait = now < deadline_ns ? (int)((deadline_ns - now) / 1000000u) + 1 : 0;

	return poll(&p, 1, wait) > 0 && !(p.revents & POLLNVAL);
}

void declared_read(int fd, uint64_t deadline_ns, struct platform *ret)
{
	char text[DECLARED_MAX + 1];
	size_t n = 0;

	memset(ret, 0, sizeof(*ret));
	while (n < DECLARED_MAX && ready(fd, deadline_ns)) {
		ssize_t got = read(fd, text + n, DECLARED_MAX - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return;
		if (got == 0) {
			text[n] = '\0';
			if (strlen(text) == n)
				declared_parse(text, ret);
			return;
		}
		n += (size_t)got;
	}
}
