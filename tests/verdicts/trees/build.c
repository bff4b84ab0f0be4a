/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "runtime/base/fd.h"
#include "tests/verdicts/trees/trees.h"

uint64_t tree_random(struct tree *t, uint64_t below)
{
	uint64_t z = t->random += 0x9e3779b97f4a7c15u; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % below;
}

static void need(bool good, const struct tree *t, const char *what)
{
	if (good)
		return;
	printf("Bail out! tree %u: %s: %s\n", t->number, what, strerror(errno));
	exit(1);
}

/* Makes the directories that lead to @path. */
static void parents(struct tree *t, const char *path)
{
	char dir[PATH_MAX];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		(void)str_fmt(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		need(mkdirat(t->root, dir, 0755) == 0 || errno == EEXIST, t, dir);
	}
}

void tree_file(struct tree *t, const char *path, const void *bytes, size_t n, mode_t mode)
{
	CLEANUP_FD int fd = -1;

	parents(t, path);
	fd = openat(t->root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	need(fd >= 0 && fd_write_all(fd, bytes, n) == 0 && fchmod(fd, mode) == 0, t, path);
}

void tree_text(struct tree *t, const char *path, const char *text)
{
	tree_file(t, path, text, strlen(text), 0755);
}

void tree_sparse(struct tree *t, const char *path, uint64_t size)
{
	CLEANUP_FD int fd = openat(t->root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	need(fd >= 0 && ftruncate(fd, (off_t)size) == 0, t, path);
}

void tree_link(struct tree *t, const char *path, const char *target)
{
	parents(t, path);
	need(symlinkat(target, t->root, path) == 0, t, path);
}

/* A socket has its name only while it is bound, and stays when it is closed. */
static bool make_socket(int dir, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return str_fmt(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dir, path) &&
	       bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

void tree_node(struct tree *t, const char *path, mode_t type)
{
	/* 1:5 is /dev/zero; 7:250 a loop device that nobody has. */
	dev_t device = S_ISCHR(type) ? makedev(1, 5) : S_ISBLK(type) ? makedev(7, 250) : 0;

	parents(t, path);
	if (S_ISDIR(type))
		need(mkdirat(t->root, path, 0755) == 0, t, path);
	else if (S_ISSOCK(type))
		need(make_socket(t->root, path), t, path);
	else
		need(mknodat(t->root, path, type | 0755, device) == 0, t, path);
}

/* --- config.json ------------------------------------------------------------------------------ */

static void add(struct tree *t, struct buf *b, const char *s)
{
	struct err err;

	need(buf_add(b, s, strlen(s), &err) == 0, t, "text");
}

static void add_string(struct tree *t, struct buf *b, const char *s)
{
	char escape[8];

	add(t, b, "\"");
	for (; *s; s++) {
		bool plain = (unsigned char)*s >= 0x20 && *s != '"' && *s != '\\';

		(void)str_fmt(escape, sizeof(escape), plain ? "%c" : "\\u%04x", *s);
		add(t, b, escape);
	}
	add(t, b, "\"");
}

void tree_process(struct tree *t, const char *argv0, const char *path)
{
	buf_deinit(&t->process);
	add(t, &t->process, "{\"cwd\":\"/\",\"args\":[");
	add_string(t, &t->process, argv0);
	add(t, &t->process, ",\"-c\",\"run /bin/other; ./x && exec swap\"],\"env\":[\"PATH=");
	add(t, &t->process, path ? path : "/usr/bin:/bin");
	add(t, &t->process, "\"]}");
}

void tree_config(struct tree *t, const char *more)
{
	buf_deinit(&t->config);
	add(t, &t->config, "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":");
	add(t, &t->config, buf_str(&t->process));
	add(t, &t->config, more);
	add(t, &t->config, "}");
}

static void write_config(struct tree *t)
{
	struct err err;

	if (faccessat(t->bundle, "config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	if (!t->config.len)
		tree_config(t, "");
	need(file_replace(t->bundle, "config.json", 0644, t->config.data, t->config.len, &err) == 0,
	     t, "config.json");
}

/* --- the tree --------------------------------------------------------------------------------- */

void tree_open(struct tree *ret, const char *path, unsigned int number, const struct kind *k)
{
	memset(ret, 0, sizeof(*ret));
	ret->number = number;
	ret->kind = k->name;
	ret->random = number;
	ret->root = -1;
	ret->config = ret->process = (struct buf)BUF_INIT(16u << 20);
	(void)str_copy(ret->path, sizeof(ret->path), path);
	need(mkdir(path, 0755) == 0, ret, path);
	ret->bundle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(ret->bundle >= 0 && mkdirat(ret->bundle, "rootfs", 0755) == 0, ret, "rootfs");
	need(mkdirat(ret->bundle, "volumes", 0755) == 0, ret, "volumes");
	ret->root = openat(ret->bundle, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(ret->root >= 0, ret, "rootfs");
}

void tree_close(struct tree *t)
{
	write_config(t);
}

void tree_deinit(struct tree *t)
{
	fd_close(&t->bundle);
	fd_close(&t->root);
	buf_deinit(&t->config);
	buf_deinit(&t->process);
}
