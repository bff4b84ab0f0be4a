/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/log_tail.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/plan/line_text.h"

#define TAIL (16u << 10)

/* ENOEXEC's text in the words of C libraries, Go and shells. */
static const char *const words[] = { "exec format error", "cannot execute binary file",
				     "crossarch[" };

bool is_exec_complaint(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

/* "2026-11-27T15:00:00.1Z stderr F " is CRI's (the kubelet's pkg/kubelet/kuberuntime/logs). */
static const char *without_prefix(const char *line)
{
	const char *rest = line;

	for (int i = 0; i < 3; i++) {
		rest = strchr(rest, ' ');
		if (!rest)
			return line;
		rest++;
	}
	return rest;
}

/* What the program wrote may be anything. */
static bool find_last(char *text, char *ret, size_t size)
{
	const char *found = NULL;
	char *save = NULL;
	struct text t;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (is_exec_complaint(line))
			found = line;
	if (!found)
		return false;
	text_init(&t, ret, size);
	text_name(&t, without_prefix(found), size - 8);
	return true;
}

bool log_tail_complaint(const char *path, char *ret, size_t size)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	char text[TAIL + 1];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	n = pread(fd, text, TAIL, st.st_size > TAIL ? st.st_size - TAIL : 0);
	if (n <= 0)
		return false;
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = '?';
	text[n] = '\0';
	return find_last(text, ret, size);
}
