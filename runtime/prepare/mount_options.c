/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/mount_options.h"

#include <string.h>
#include <sys/mount.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* More than any kernel takes: an overlay of 500 layers with long names fits. */
#define DATA_MAX 131072

struct word {
	const char *name;
	unsigned long set, clear;
};

static const struct word flag_words[] = {
	{ "async", 0, MS_SYNCHRONOUS },
	{ "atime", 0, MS_NOATIME },
	{ "bind", MS_BIND, 0 },
	{ "defaults", 0, 0 },
	{ "dev", 0, MS_NODEV },
	{ "diratime", 0, MS_NODIRATIME },
	{ "dirsync", MS_DIRSYNC, 0 },
	{ "exec", 0, MS_NOEXEC },
	{ "lazytime", MS_LAZYTIME, 0 },
	{ "mand", MS_MANDLOCK, 0 },
	{ "noatime", MS_NOATIME, 0 },
	{ "nodev", MS_NODEV, 0 },
	{ "nodiratime", MS_NODIRATIME, 0 },
	{ "noexec", MS_NOEXEC, 0 },
	{ "nolazytime", 0, MS_LAZYTIME },
	{ "nomand", 0, MS_MANDLOCK },
	{ "norelatime", 0, MS_RELATIME },
	{ "nostrictatime", 0, MS_STRICTATIME },
	{ "nosuid", MS_NOSUID, 0 },
	{ "rbind", MS_BIND | MS_REC, 0 },
	{ "relatime", MS_RELATIME, 0 },
	{ "remount", MS_REMOUNT, 0 },
	{ "ro", MS_RDONLY, 0 },
	{ "rw", 0, MS_RDONLY },
	{ "strictatime", MS_STRICTATIME, 0 },
	{ "suid", 0, MS_NOSUID },
	{ "sync", MS_SYNCHRONOUS, 0 },
};

static const struct word propagation_words[] = {
	{ "private", MS_PRIVATE, 0 },
	{ "rprivate", MS_PRIVATE | MS_REC, 0 },
	{ "rshared", MS_SHARED | MS_REC, 0 },
	{ "rslave", MS_SLAVE | MS_REC, 0 },
	{ "runbindable", MS_UNBINDABLE | MS_REC, 0 },
	{ "shared", MS_SHARED, 0 },
	{ "slave", MS_SLAVE, 0 },
	{ "unbindable", MS_UNBINDABLE, 0 },
};

static const struct word *find(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(words[i].name, name))
			return &words[i];
	return NULL;
}

void mount_options_deinit(struct mount_options *o)
{
	buf_deinit(&o->data);
}

static int add_data(struct mount_options *o, const char *word, struct err *err)
{
	return buf_printf(&o->data, err, "%s%s", o->data.len ? "," : "", word);
}

static int take(const char *word, struct mount_options *o, struct err *err)
{
	const struct word *flag = find(flag_words, ARRAY_SIZE(flag_words), word);
	const struct word *propagation =
		find(propagation_words, ARRAY_SIZE(propagation_words), word);

	if (flag)
		o->flags = (o->flags & ~flag->clear) | flag->set;
	else if (propagation)
		o->propagation = propagation->set;
	else if (str_eq(word, "loop"))
		o->loop = true;
	else if (str_after(word, "uidmap="))
		o->uidmap = str_after(word, "uidmap=");
	else if (str_after(word, "gidmap="))
		o->gidmap = str_after(word, "gidmap=");
	else if (str_eq(word, "direct-io"))
		o->direct_io = true;
	else if (str_after(word, "X-containerd."))
		return err_set(err, ERR_INVALID,
			       "option %.80s is containerd's to itself, which had to carry it out",
			       word);
	else
		return add_data(o, word, err);
	return 0;
}

int mount_options_parse(const char *const *words, struct mount_options *ret, struct err *err)
{
	CLEANUP_MOUNT_OPTIONS struct mount_options o = { .data = BUF_INIT(DATA_MAX) };

	for (; words && *words; words++)
		if (take(*words, &o, err) < 0)
			return -1;
	/* It is about a loop device, or else the file system's affair. */
	if (o.direct_io && !o.loop && add_data(&o, "direct-io", err) < 0)
		return -1;
	*ret = o;
	o.data = (struct buf)BUF_INIT(0);
	return 0;
}
