/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/text_search.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"

#define TEXT_MAX 64
#define PIECE 8192

bool file_mentions(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t n = strlen(text), kept = 0;
	char piece[TEXT_MAX + PIECE];

	if (fd < 0 || !n || n > TEXT_MAX)
		return false;
	for (;;) {
		ssize_t got = read(fd, piece + kept, PIECE);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		kept += (size_t)got;
		if (memmem(piece, kept, text, n))
			return true;
		/* Its begin may be the end of this piece. */
		if (kept >= n) {
			memmove(piece, piece + kept - (n - 1), n - 1);
			kept = n - 1;
		}
	}
}
