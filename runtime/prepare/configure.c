/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/configure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "runtime/base/fd.h"
#include "runtime/base/owner.h"
#include "runtime/base/str.h"

#define OPTIONS_NAME "the runtime's options table in containerd's configuration"
#define SHIM_PROGRAM "containerd-shim-crossarch-v2"
#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static enum configured complain_file(const char *path, const char *why, struct complaint *bad)
{
	(void)str_fmt(bad->what, sizeof(bad->what), "the configuration file %.200s cannot be used",
		      path);
	(void)str_fmt(bad->why, sizeof(bad->why), "%.280s", why);
	(void)str_fmt(bad->fix, sizeof(bad->fix), "correct %.120s", path);
	return CONFIGURED_BAD;
}

static const char *file_path(const struct prepare_request *req)
{
	return req->config_path && *req->config_path ? req->config_path : SETTINGS_FILE;
}

static enum configured complain_owner(const char *path, const struct stat *st,
				      struct complaint *bad)
{
	(void)complain_file(path, "", bad);
	(void)str_fmt(bad->why, sizeof(bad->why),
		      "others than root can write it (owner %u, mode %04o), and it says what root "
		      "runs",
		      (unsigned int)st->st_uid, (unsigned int)st->st_mode & 07777);
	(void)str_fmt(bad->fix, sizeof(bad->fix), "\"chown root %.80s; chmod go-w %.80s\"", path,
		      path);
	return CONFIGURED_BAD;
}

/* The default file may be missing; one that was named may not. */
enum configured configure_file(const struct prepare_request *req, struct buf *text,
			       struct complaint *bad)
{
	const char *path = file_path(req);
	CLEANUP_FD int fd = fd_openat2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, 0);
	struct stat st;
	struct err err;

	if (fd < 0 && errno == ENOENT && path != req->config_path)
		return CONFIGURED;
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(&err, ERR_IO, "open %.200s", path);
		return complain_file(path, err.text, bad);
	}
	if (!S_ISREG(st.st_mode))
		return complain_file(path, "it is not a regular file", bad);
	if (!owner_is_trusted(&st))
		return complain_owner(path, &st, bad);
	if (fd_read_all(fd, path, text, &err) < 0)
		return complain_file(path, err.text, bad);
	if (strlen(buf_str(text)) != text->len)
		return complain_file(path, "it is not JSON: it holds a NUL byte", bad);
	if (!text->len)
		return complain_file(path, "it is not JSON: it is empty", bad);
	return CONFIGURED;
}

static enum configured from_file(const struct prepare_request *req, struct settings *s,
				 struct complaint *bad)
{
	const char *path = file_path(req);
	CLEANUP_JSON json *document = NULL;
	struct err err;

	if (!req->settings || !*req->settings)
		return CONFIGURED;
	if (json_parse(req->settings, strlen(req->settings), "it is not JSON", &document, &err) < 0)
		return complain_file(path, err.text, bad);
	return settings_from_json(s, document, path, bad) < 0 ? CONFIGURED_BAD : CONFIGURED;
}

static enum configured complain_length(const char *what, size_t max, struct complaint *bad)
{
	(void)str_fmt(bad->what, sizeof(bad->what), OPTIONS_NAME " sets %s", what);
	(void)str_fmt(bad->why, sizeof(bad->why), "its value is longer than %zu bytes", max);
	(void)str_fmt(bad->fix, sizeof(bad->fix), "shorten %s", what);
	return CONFIGURED_BAD;
}

/* runc's options in their own message override those of a table. */
static enum configured from_request(const struct prepare_request *req, struct settings *s,
				    struct complaint *bad)
{
	static const struct {
		const char *name;
		size_t from, to, size;
	} texts[] = {
#define COPY(name, a, b) \
	{ name, offsetof(struct prepare_request, a), offsetof(struct settings, b), sizeof(s->b) }
		COPY("BinaryName", binary_name, engine),
		COPY("Root", root, root),
		COPY("ShimCgroup", shim_cgroup, shim_cgroup),
		COPY("CriuImagePath", criu_image_path, criu_image_path),
		COPY("CriuWorkPath", criu_work_path, criu_work_path),
#undef COPY
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *const *value = (const void *)((const char *)req + texts[i].from);

		if (*value && **value && !str_copy((char *)s + texts[i].to, texts[i].size, *value))
			return complain_length(texts[i].name, texts[i].size - 1, bad);
	}
	s->systemd_cgroup |= req->flags & REQUEST_SYSTEMD_CGROUP;
	s->no_pivot_root |= req->flags & REQUEST_NO_PIVOT;
	s->no_new_keyring |= req->flags & REQUEST_NO_NEW_KEYRING;
	s->io_uid = req->io_uid ? req->io_uid : s->io_uid;
	s->io_gid = req->io_gid ? req->io_gid : s->io_gid;
	return CONFIGURED;
}

enum configured configure(const struct prepare_request *req, const struct spec *spec,
			  struct settings *ret, struct complaint *bad)
{
	settings_init(ret);
	if (from_file(req, ret, bad) != CONFIGURED)
		return CONFIGURED_BAD;
	if (req->config_body && *req->config_body &&
	    settings_from_toml(ret, req->config_body, OPTIONS_NAME, bad) < 0)
		return CONFIGURED_BAD;
	if (from_request(req, ret, bad) != CONFIGURED)
		return CONFIGURED_BAD;
	if (spec && settings_from_annotations(ret, spec, bad) < 0)
		return CONFIGURED_BAD;
	return CONFIGURED;
}

/* The form the systemd driver gives cgroupsPath: slice:prefix:name, never an absolute path. */
static bool is_systemd_path(const char *path)
{
	const char *first = strchr(path, ':');
	const char *second = first ? strchr(first + 1, ':') : NULL;

	return path[0] != '/' && second && !strchr(second + 1, ':');
}

/* systemd nests a-b.slice in a.slice; the unit of the container is below the slice. */
static bool systemd_cgroup(const char *path, char *ret, size_t size)
{
	const char *colon = strchr(path, ':'), *prefix = colon + 1, *name = strchr(prefix, ':') + 1;
	size_t slice = (size_t)(colon - path), used = 0;

	if (slice < strlen(".slice") || memcmp(colon - 6, ".slice", 6) != 0)
		return false;
	for (size_t i = 0; i < slice - 6; i++)
		if (path[i + 1] == '-' || i + 1 == slice - 6) {
			if (!str_fmt(ret + used, size - used, "/%.*s.slice", (int)i + 1, path))
				return false;
			used += strlen(ret + used);
		}
	return str_fmt(ret + used, size - used, "/%.*s-%s.scope", (int)(name - 1 - prefix), prefix,
		       name);
}

bool configure_cgroup(const char *path, char *ret, size_t size)
{
	ret[0] = '\0';
	if (is_systemd_path(path))
		return systemd_cgroup(path, ret, size);
	return !strchr(path, '\n') && (path[0] != '/' || str_copy(ret, size, path));
}

void configure_decided(const struct settings *s, const struct spec *spec, struct decided *d)
{
	d->log_level = s->log_level;
	d->io_uid = (uint32_t)s->io_uid;
	d->io_gid = (uint32_t)s->io_gid;
	d->flags |= s->no_pivot_root ? DECIDED_NO_PIVOT : 0;
	d->flags |= s->no_new_keyring ? DECIDED_NO_NEW_KEYRING : 0;
	d->flags |= s->systemd_cgroup || (spec && is_systemd_path(spec->cgroups_path))
			    ? DECIDED_SYSTEMD_CGROUP
			    : 0;
	d->flags |= spec && spec->private_pid ? DECIDED_PRIVATE_PID : 0;
	d->flags |= spec && spec->hooks.poststop ? DECIDED_POSTSTOP : 0;
	if (spec && !configure_cgroup(spec->cgroups_path, d->cgroup, sizeof(d->cgroup)))
		d->cgroup[0] = '\0';
	(void)str_copy(d->root, sizeof(d->root), s->root);
	(void)str_copy(d->shim_cgroup, sizeof(d->shim_cgroup), s->shim_cgroup);
	(void)str_copy(d->criu_image_path, sizeof(d->criu_image_path), s->criu_image_path);
	(void)str_copy(d->criu_work_path, sizeof(d->criu_work_path), s->criu_work_path);
}

static bool stat_program(const char *path, struct stat *ret)
{
	CLEANUP_FD int fd = fd_openat2(AT_FDCWD, path, O_PATH, 0, 0);

	return fd >= 0 && fstat(fd, ret) == 0 && S_ISREG(ret->st_mode) && (ret->st_mode & 0111);
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat_program(path, &st);
}

/* @name in the directories of @path; relative ones are passed over. */
static bool search(const char *name, const char *path, char *ret, size_t size)
{
	while (*path) {
		size_t n = strcspn(path, ":");

		if (*path == '/' && str_fmt(ret, size, "%.*s/%s", (int)n, path, name) &&
		    is_program(ret))
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static bool is_file(const struct stat *st, const char *other)
{
	struct stat it;

	return stat_program(other, &it) && it.st_dev == st->st_dev && it.st_ino == st->st_ino;
}

/*
 * The one that started us, and those that containerd and people find. By the file, since a link or
 * another name is no other program.
 */
static bool is_shim(const char *path, const char *search_path)
{
	const char *slash = strrchr(path, '/');
	char other[PATH_MAX];
	struct stat st;

	if (slash && str_eq(slash + 1, SHIM_PROGRAM))
		return true;
	if (!stat_program(path, &st))
		return false;
	(void)str_fmt(other, sizeof(other), "/proc/%d/exe", getppid());
	return is_file(&st, other) ||
	       is_file(&st, CROSSARCH_LIBEXECDIR "/../../bin/" SHIM_PROGRAM) ||
	       (search_path && search(SHIM_PROGRAM, search_path, other, sizeof(other)) &&
		is_file(&st, other)) ||
	       (search(SHIM_PROGRAM, STANDARD_PATH, other, sizeof(other)) && is_file(&st, other));
}

static bool find_engine(const char *name, const char *path, char *ret, size_t size)
{
	if (*name == '/')
		return str_copy(ret, size, name) && is_program(name);
	return (path && search(name, path, ret, size)) || search(name, STANDARD_PATH, ret, size);
}

int configure_engine(const char *wanted, const char *path, char *ret, size_t size,
		     bool *ret_was_shim, struct err *err)
{
	*ret_was_shim = false;
	if (*wanted && find_engine(wanted, path, ret, size)) {
		*ret_was_shim = is_shim(ret, path);
		if (!*ret_was_shim)
			return 0;
		wanted = "";
	}
	if (!*wanted &&
	    (find_engine("runc", path, ret, size) || find_engine("crun", path, ret, size)))
		return 0;
	ret[0] = '\0';
	if (*wanted == '/')
		return err_set(err, ERR_NOT_FOUND,
			       "the OCI engine %.200s is not an executable file", wanted);
	return err_set(err, ERR_NOT_FOUND,
		       "no OCI engine: neither containerd's PATH nor the standard directories have "
		       "%.200s",
		       *wanted ? wanted : "runc or crun");
}
