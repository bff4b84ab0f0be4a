/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "tests/tools/faults/bundle.h"

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

#define ID_MAP "[{\"containerID\":0,\"hostID\":%d,\"size\":65536}]"

/* The end of the list of namespaces, and what belongs to one that follows it. */
static void spec_user_namespace(const struct box *box, char *ret, size_t size)
{
	if (!box->emulated)
		str_copy(ret, size, "]");
	else
		str_fmt(ret, size,
			",{\"type\":\"user\"}],\"uidMappings\":" ID_MAP ",\"gidMappings\":" ID_MAP,
			MAPPED_ID, MAPPED_ID);
}

static int spec_container(const struct box *box, const char *const *words, struct buf *b,
			  struct err *err)
{
	char volume[PATH_MAX + 100] = "", user[200];

	spec_user_namespace(box, user, sizeof(user));
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
		"\"io.kubernetes.cri.sandbox-id\":\"%s\"%s},\"mounts\":[{\"destination\":\"/proc\","
		"\"type\":\"proc\",\"source\":\"proc\"},{\"destination\":\"/dev\",\"type\":"
		"\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]},{"
		"\"destination\":\"/dev/"
		"pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\","
		"\"ptmxmode=0666\"]}%s],"
		"\"linux\":{"
		"\"cgroupsPath\":\"/%s/%s\",\"namespaces\":[{\"type\":\"mount\"},{\"type\":"
		"\"ipc\"},{\"type\":\"uts\"},{\"type\":\"pid\"}%s}}",
		box->pod->group,
		box->emulated ? ",\"io.crossarch.private-emulators\":\"true\"" : "", volume,
		box->pod->w->ns, box->id, user);
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
	/* What the container's root is to write to. */
	str_fmt(path, sizeof(path), "%s/upper", box->bundle);
	if (box->emulated && chown(path, MAPPED_ID, MAPPED_ID) < 0)
		return err_sys(err, ERR_IO, "give %s away", path);
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
