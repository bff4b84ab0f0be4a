/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sandbox/pod_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define FILE_MAX_SIZE (1u << 20)
#define SHM_SIZE "67108864" /* 64 MiB, as everywhere */

static int path_of(const char *bundle, const char *name, char ret[PATH_MAX], struct err *err)
{
	return str_fmt(ret, PATH_MAX, "%s/" POD_FILES "/%s", bundle, name)
		       ? 0
		       : err_set(err, ERR_INVALID, "bundle path too long");
}

/* The pod's root may write to it, as to those that CRI makes. */
static int write_file(const char *bundle, const char *name, const struct pod_config *c,
		      const struct buf *text, struct err *err)
{
	char path[PATH_MAX];

	if (path_of(bundle, name, path, err) < 0 ||
	    file_replace(AT_FDCWD, path, 0644, text->data, text->len, err) < 0)
		return -1;
	if (c->user && chown(path, c->root_uid, c->root_gid) < 0)
		return err_sys(err, ERR_IO, "give %s to the root of the pod", path);
	return 0;
}

static int write_hostname(const char *bundle, const struct pod_config *c, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(FILE_MAX_SIZE);
	char own[HOST_NAME_MAX + 1] = "";

	if (!*c->hostname)
		(void)gethostname(own, sizeof(own) - 1);
	if (buf_printf(&text, err, "%s\n", *c->hostname ? c->hostname : own) < 0)
		return -1;
	return write_file(bundle, "hostname", c, &text, err);
}

/* The node's, as it is now; a node may be without. */
static int copy_file(const char *bundle, const char *from, const char *name,
		     const struct pod_config *c, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(FILE_MAX_SIZE);

	if (file_read_regular(AT_FDCWD, from, &text, err) < 0 && err->code != ERR_NOT_FOUND)
		return -1;
	return write_file(bundle, name, c, &text, err);
}

static int add_words(struct buf *text, const char *what, char **words, size_t n, struct err *err)
{
	if (!n)
		return 0;
	if (buf_printf(text, err, "%s", what) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (buf_printf(text, err, " %s", words[i]) < 0)
			return -1;
	return buf_printf(text, err, "\n");
}

static int write_dns(const char *bundle, const struct pod_config *c, struct err *err)
{
	struct buf CLEANUP_BUF text = BUF_INIT(FILE_MAX_SIZE);
	const Crossarch__PodDns *dns = c->dns;

	if (add_words(&text, "search", dns->searches, dns->n_searches, err) < 0)
		return -1;
	for (size_t i = 0; i < dns->n_servers; i++)
		if (buf_printf(&text, err, "nameserver %s\n", dns->servers[i]) < 0)
			return -1;
	if (add_words(&text, "options", dns->options, dns->n_options, err) < 0)
		return -1;
	return write_file(bundle, "resolv.conf", c, &text, err);
}

static int mount_shm(const char *bundle, struct err *err)
{
	char path[PATH_MAX];

	if (path_of(bundle, "shm", path, err) < 0)
		return -1;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "make %s", path);
	if (mount("shm", path, "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV,
		  "mode=1777,size=" SHM_SIZE) < 0)
		return err_sys(err, ERR_IO, "mount %s", path);
	return 0;
}

int pod_files_make(const char *bundle, const struct pod_config *c, struct err *err)
{
	char path[PATH_MAX];

	if (path_of(bundle, "", path, err) < 0)
		return -1;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(err, ERR_IO, "make %s", path);
	if (write_hostname(bundle, c, err) < 0 ||
	    copy_file(bundle, "/etc/hosts", "hosts", c, err) < 0)
		return -1;
	if (c->dns ? write_dns(bundle, c, err) < 0
		   : copy_file(bundle, "/etc/resolv.conf", "resolv.conf", c, err) < 0)
		return -1;
	return c->host_ipc ? 0 : mount_shm(bundle, err);
}

void pod_files_remove(const char *bundle)
{
	char path[PATH_MAX];

	if (str_fmt(path, sizeof(path), "%s/" POD_FILES "/shm", bundle))
		(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}
