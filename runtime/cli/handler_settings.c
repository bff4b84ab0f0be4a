/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/handler_settings.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "runtime/arch/platform.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/oci/json.h"
#include "runtime/prepare/configure.h"

#define KEY "platform"

int handler_settings_path_of(const char *dir, const struct arch *a, char *ret, size_t size,
			     struct err *err)
{
	if (dir[0] != '/' || strpbrk(dir, "\"\\\n") ||
	    !str_fmt(ret, size, "%s/%s.json", dir, a->name))
		return err_set(err, ERR_INVALID,
			       "%.100s is no directory for settings: an absolute path of less than "
			       "%zu bytes, without quotes and backslashes",
			       dir, size);
	return 0;
}

static void directory_of(const char *path, char ret[PATH_MAX])
{
	(void)str_fmt(ret, PATH_MAX, "%.*s", (int)(strrchr(path, '/') - path), path);
}

static void drop(json **j)
{
	json_object_put(*j);
	*j = NULL;
}

/* ERR_NOT_FOUND without a file. */
static int read_file(const char *path, json **ret, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);

	if (file_read(AT_FDCWD, path, &text, err) < 0 ||
	    json_parse(buf_str(&text), text.len, path, ret, err) < 0)
		return -1;
	if (json_object_is_type(*ret, json_type_object))
		return 0;
	drop(ret);
	return err_set(err, ERR_INVALID, "%s is not a JSON object", path);
}

/* The node's own, which is beside it; an empty object without. */
static int read_node(const char *path, json **ret, struct err *err)
{
	const char *slash = strrchr(path, '/'), *name = strrchr(SETTINGS_FILE, '/');
	char node[PATH_MAX];

	if (!str_fmt(node, sizeof(node), "%.*s%s", (int)(slash - path), path, name))
		return err_set(err, ERR_LIMIT, "the path %.100s is too long", path);
	if (read_file(node, ret, err) == 0)
		return 0;
	if (err->code != ERR_NOT_FOUND)
		return -1;
	*ret = json_object_new_object();
	return *ret ? 0 : err_set(err, ERR_NOMEM, "no memory for settings");
}

static int make(const char *path, const struct arch *a, json **ret, struct err *err)
{
	char platform[PLATFORM_TEXT];

	if (read_node(path, ret, err) < 0)
		return -1;
	(void)str_fmt(platform, sizeof(platform), "linux/%s", a->name);
	json_object_object_del(*ret, KEY);
	if (json_object_object_add(*ret, KEY, json_object_new_string(platform)) < 0) {
		drop(ret);
		return err_set(err, ERR_NOMEM, "no memory for settings");
	}
	return 0;
}

static int check_platform(const char *path, json *settings, const struct arch *a, struct err *err)
{
	json *value = json_member(settings, KEY);
	const struct arch *chosen = NULL;
	struct platform p;
	struct err ignored;

	if (json_object_is_type(value, json_type_string) &&
	    platform_parse(json_object_get_string(value), &p, &ignored) == 0)
		chosen = platform_arch(&p);
	if (chosen == a)
		return 0;
	return err_set(err, ERR_PRECONDITION,
		       "%s is there and does not choose this platform: add \"" KEY
		       "\": \"linux/%s\" to it, or remove it",
		       path, a->name);
}

int handler_settings_write(const char *path, const struct arch *a, bool *ret_made, struct err *err)
{
	CLEANUP_JSON json *settings = NULL;
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);
	char dir[PATH_MAX];

	*ret_made = false;
	if (read_file(path, &settings, err) == 0)
		return check_platform(path, settings, a, err);
	if (err->code != ERR_NOT_FOUND || make(path, a, &settings, err) < 0)
		return -1;
	directory_of(path, dir);
	if (dir_make(dir, 0755, err) < 0 ||
	    buf_printf(&text, err, "%s\n",
		       json_object_to_json_string_ext(
			       settings, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						 JSON_C_TO_STRING_NOSLASHESCAPE)) < 0 ||
	    file_replace(AT_FDCWD, path, 0644, text.data, text.len, err) < 0)
		return -1;
	*ret_made = true;
	return 0;
}

int handler_settings_remove(const char *path, const struct arch *a, bool *ret_left, struct err *err)
{
	CLEANUP_JSON json *settings = NULL;
	CLEANUP_JSON json *ours = NULL;
	char dir[PATH_MAX];

	*ret_left = false;
	if (read_file(path, &settings, err) < 0 && err->code == ERR_NOT_FOUND)
		return 0;
	if (!settings || make(path, a, &ours, err) < 0 || !json_object_equal(settings, ours)) {
		*ret_left = true;
		return 0;
	}
	if (unlink(path) < 0)
		return err_sys(err, ERR_IO, "remove %s", path);
	/* It may have been made for this file alone. */
	directory_of(path, dir);
	(void)rmdir(dir);
	return 0;
}

/* Keys of @from that @other lacks, and unless @lacking_only those with another value. */
static void add_differing(json *from, json *other, bool lacking_only, char *ret, size_t size)
{
	json_object_object_foreach(from, name, value)
	{
		json *there = NULL;
		bool has = json_object_object_get_ex(other, name, &there);
		size_t n = strlen(ret);

		if (str_eq(name, KEY) || (has && (lacking_only || json_object_equal(value, there))))
			continue;
		(void)str_fmt(ret + n, size - n, "%s%.40s", n ? ", " : "", name);
	}
}

void handler_settings_differ(const char *path, char *ret, size_t size)
{
	CLEANUP_JSON json *own = NULL;
	CLEANUP_JSON json *node = NULL;
	struct err ignored;

	ret[0] = '\0';
	if (read_file(path, &own, &ignored) < 0 || read_node(path, &node, &ignored) < 0)
		return;
	add_differing(node, own, false, ret, size);
	add_differing(own, node, true, ret, size);
}
