/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/pod_mounts.h"

#include <limits.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

#define SHM "/dev/shm"

/* The index of the mount at @destination, the last one as the engine mounts in order; -1 without.
 */
static int find_mount(json *mounts, const char *destination)
{
	int found = -1;

	for (size_t i = 0; i < json_object_array_length(mounts); i++) {
		json *at = json_member(json_object_array_get_idx(mounts, i), "destination");

		if (json_object_is_type(at, json_type_string) &&
		    str_eq(json_object_get_string(at), destination))
			found = (int)i;
	}
	return found;
}

static bool add_text(json *object, const char *key, const char *text)
{
	json *value = json_object_new_string(text);

	if (value && json_object_object_add(object, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool add_options(json *mount, bool read_only)
{
	const char *const words[] = { "rbind", "rprivate", read_only ? "ro" : "rw" };
	json *options = json_object_new_array();

	if (!options || json_object_object_add(mount, "options", options) < 0) {
		json_object_put(options);
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		json *word = json_object_new_string(words[i]);

		if (!word || json_object_array_add(options, word) < 0) {
			json_object_put(word);
			return false;
		}
	}
	return true;
}

/* At index @at, -1: after all others. */
static int put_bind(json *mounts, int at, const char *destination, const char *source,
		    bool read_only, struct err *err)
{
	json *mount = json_object_new_object();
	int rc = -1;

	if (mount && add_text(mount, "destination", destination) &&
	    add_text(mount, "type", "bind") && add_text(mount, "source", source) &&
	    add_options(mount, read_only))
		rc = at < 0 ? json_object_array_add(mounts, mount)
			    : json_object_array_put_idx(mounts, (size_t)at, mount);
	if (rc == 0)
		return 0;
	json_object_put(mount);
	return err_set(err, ERR_NOMEM, "no memory for the mount %s", destination);
}

static int put_file(json *mounts, const char *destination, const char *dir, const char *name,
		    bool read_only, struct err *err)
{
	char source[PATH_MAX];

	if (find_mount(mounts, destination) >= 0)
		return 0;
	if (!str_fmt(source, sizeof(source), "%s/%s", dir, name))
		return err_set(err, ERR_INVALID, "path of the pod's files too long");
	return put_bind(mounts, -1, destination, source, read_only, err);
}

static bool is_tmpfs(json *mount)
{
	json *type = json_member(mount, "type");

	return json_object_is_type(type, json_type_string) &&
	       str_eq(json_object_get_string(type), "tmpfs");
}

static int put_shm(json *mounts, const char *dir, bool host_ipc, struct err *err)
{
	int at = find_mount(mounts, SHM);
	char source[PATH_MAX];

	/* What the pod's author mounts there stays. */
	if (at >= 0 && !is_tmpfs(json_object_array_get_idx(mounts, (size_t)at)))
		return 0;
	if (!str_fmt(source, sizeof(source), "%s/shm", dir))
		return err_set(err, ERR_INVALID, "path of the pod's files too long");
	return put_bind(mounts, at, SHM, host_ipc ? SHM : source, false, err);
}

static bool root_is_read_only(json *document)
{
	return json_object_get_boolean(json_member(json_member(document, "root"), "readonly"));
}

int pod_mounts_add(json *document, const char *dir, bool host_ipc, struct err *err)
{
	bool read_only = root_is_read_only(document);
	json *mounts;

	if (json_typed(document, "mounts", json_type_array, &mounts, err) < 0)
		return -1;
	if (!mounts) {
		mounts = json_object_new_array();
		if (!mounts || json_object_object_add(document, "mounts", mounts) < 0) {
			json_object_put(mounts);
			return err_set(err, ERR_NOMEM, "no memory for mounts");
		}
	}
	if (put_file(mounts, "/etc/hostname", dir, "hostname", read_only, err) < 0 ||
	    put_file(mounts, "/etc/hosts", dir, "hosts", read_only, err) < 0 ||
	    put_file(mounts, "/etc/resolv.conf", dir, "resolv.conf", read_only, err) < 0)
		return -1;
	return put_shm(mounts, dir, host_ipc, err);
}
