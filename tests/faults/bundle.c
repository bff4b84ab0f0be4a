/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/faults/bundle.h"

static int add_words(struct buf *b, const char *const *words, struct err *err)
{
	for (size_t i = 0; words[i]; i++)
		if (buf_printf(b, err, "%s\"%s\"", i ? "," : "", words[i]) < 0)
			return -1;
	return 0;
}

#define CAPABILITIES "[\"CAP_CHOWN\",\"CAP_KILL\"]"

int spec_process(const char *const *words, bool terminal, struct buf *b, struct err *err)
{
	if (buf_printf(b, err, "{\"terminal\":%s,\"user\":{\"uid\":0,\"gid\":0},\"args\":[",
		       terminal ? "true" : "false") < 0 ||
	    add_words(b, words, err) < 0)
		return -1;
	return buf_printf(b, err,
			  "],\"env\":[\"PATH=/bin\"],\"cwd\":\"/\",\"capabilities\":{"
			  "\"bounding\":%s,\"effective\":%s,\"permitted\":%s}}",
			  CAPABILITIES, CAPABILITIES, CAPABILITIES);
}

static int spec_container(const struct box *box, const char *const *words, struct buf *b,
			  struct err *err)
{
	char volume[PATH_MAX + 100] = "";

	if (box->volume)
		str_fmt(volume, sizeof(volume),
			",{\"destination\":\"/volume\",\"type\":\"bind\",\"source\":\"%s\","
			"\"options\":[\"rbind\"]}",
			box->volume);
	if (buf_printf(b, err, "{\"ociVersion\":\"1.0.2\",\"process\":") < 0 ||
	    spec_process(words, false, b, err) < 0)
		return -1;
	return buf_printf(
		b, err,
		",\"root\":{\"path\":\"rootfs\"},\"hostname\":\"faults\",\"annotations\":{"
		"\"io.kubernetes.cri.sandbox-id\":\"%s\"},\"mounts\":[{\"destination\":\"/proc\","
		"\"type\":\"proc\",\"source\":\"proc\"},{\"destination\":\"/dev\",\"type\":"
		"\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]},{"
		"\"destination\":\"/dev/"
		"pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\","
		"\"ptmxmode=0666\"]}%s],"
		"\"linux\":{"
		"\"cgroupsPath\":\"/%s/%s\",\"namespaces\":[{\"type\":\"mount\"},{\"type\":"
		"\"ipc\"},{\"type\":\"uts\"},{\"type\":\"pid\"}]}}",
		box->pod->group, volume, box->pod->w->ns, box->id);
}

int bundle_make(const struct box *box, const char *const *words, struct err *err)
{
	static const char *const dirs[] = { "rootfs", "upper", "work" };
	struct buf CLEANUP_BUF spec = BUF_INIT(65536);
	CLEANUP_FD int dir = -1;
	char path[300];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		str_fmt(path, sizeof(path), "%s/%s", box->bundle, dirs[i]);
		if (dir_make(path, 0711, err) < 0)
			return -1;
	}
	dir = open(box->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, ERR_IO, "open %s", box->bundle);
	/* A file, for somebody to read after a loss; containerd has a FIFO there. */
	if (file_replace(dir, "log", 0600, "", 0, err) < 0 ||
	    spec_container(box, words, &spec, err) < 0)
		return -1;
	return file_replace(dir, "config.json", 0600, spec.data, spec.len, err);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

void bundle_remove(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
