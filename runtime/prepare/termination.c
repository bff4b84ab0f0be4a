/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/prepare.h"

/*
 * config.json does not say what terminationMessagePath is. The kubelet makes an empty file for each
 * container, <its root>/pods/<pod uid>/containers/<container>/<8 hexadecimal digits>, and mounts it
 * there (kuberuntime's makeMounts; the digits are those of makeUID). Its root is a setting, and
 * containerd follows links in it, so that the end of the name has to do, held against what the CRI
 * says of pod and container in the annotations. Volumes are elsewhere below pods/; a hostPath that
 * imitates the name gives a pod nothing that it does not have.
 */
#define FILE_DIGITS 8

/* Cuts the last component off @path (of *@n bytes) and compares it; @wanted NULL: any. */
static bool take_last(const char *path, size_t *n, const char *wanted)
{
	size_t at = *n;

	while (at && path[at - 1] != '/')
		at--;
	if (!at || at == *n)
		return false;
	if (wanted && (strlen(wanted) != *n - at || memcmp(path + at, wanted, *n - at) != 0))
		return false;
	*n = at - 1;
	return true;
}

static bool is_kubelets(const struct spec *s, const char *path)
{
	const char *container = spec_annotation(s, "io.kubernetes.cri.container-name");
	const char *pod = spec_annotation(s, "io.kubernetes.cri.sandbox-uid");
	size_t n = strlen(path);

	if (n < FILE_DIGITS || !container ||
	    strspn(path + n - FILE_DIGITS, "0123456789abcdef") != FILE_DIGITS)
		return false;
	return take_last(path, &n, path + n - FILE_DIGITS) && take_last(path, &n, container) &&
	       take_last(path, &n, "containers") && take_last(path, &n, pod && *pod ? pod : NULL) &&
	       take_last(path, &n, "pods");
}

static bool is_bind(const struct spec_mount *m)
{
	bool bind = str_eq(m->type, "bind");

	for (const char *const *o = m->options; o && *o; o++)
		bind = bind || str_eq(*o, "bind") || str_eq(*o, "rbind");
	return bind;
}

/* The last word counts, as with mount(8). */
static bool is_read_only(const struct spec_mount *m)
{
	bool ro = false;

	for (const char *const *o = m->options; o && *o; o++)
		ro = str_eq(*o, "ro") || str_eq(*o, "rro") || (ro && !str_eq(*o, "rw"));
	return ro;
}

/* A regular file without a second hard link, which might be another pod's. */
static int open_file(const char *path)
{
	CLEANUP_FD int fd =
		fd_openat2(AT_FDCWD, path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
			   0, RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return -1;
	return fd_steal(&fd);
}

int termination_open(const struct spec *s)
{
	for (size_t i = s->n_mounts; i-- > 0;) {
		const struct spec_mount *m = &s->mounts[i];

		if (is_bind(m) && is_kubelets(s, m->source))
			return is_read_only(m) ? -1 : open_file(m->source);
	}
	return -1;
}
