/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writes FILE
 *
 * Prints "watching", then a line for each time that somebody writes to FILE, until it is killed.
 * Files of cgroup file systems are as good as any: inotify(7) sees writes, not what they do.
 */
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	/* Equal events in a row become one, so each is taken by itself. */
	char event[sizeof(struct inotify_event) + NAME_MAX + 1];
	int fd = inotify_init1(IN_CLOEXEC);

	if (argc != 2 || fd < 0 || inotify_add_watch(fd, argv[1], IN_MODIFY) < 0) {
		perror(argc == 2 ? argv[1] : "usage: writes FILE");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("watching");
	while (read(fd, event, sizeof(event)) > 0)
		puts("written");
	return 1;
}
