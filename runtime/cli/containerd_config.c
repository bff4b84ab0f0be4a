/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/containerd_config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/cli/containerd_process.h"
#include "runtime/prepare/configure.h"

#define PARTS_MAX 8
#define LINE_MAX_BYTES 4096

/* A table's name, taken apart at the dots outside quotes. */
struct header {
	char parts[PARTS_MAX][64];
	size_t n;
};

/* One part, which @at is moved behind; quotes are taken off. */
static const char *take_part(const char *at, char *ret, size_t size)
{
	char quote = *at == '"' || *at == '\'' ? *at : '\0';
	size_t n = 0;

	at += quote != '\0';
	for (; *at && *at != ']' && (quote ? *at != quote : *at != '.' && *at != ' '); at++)
		if (n + 1 < size)
			ret[n++] = *at;
	ret[n] = '\0';
	at += quote && *at == quote;
	return at + strspn(at, " ");
}

static void header_read(const char *at, struct header *ret)
{
	ret->n = 0;
	at += strspn(at, "[ ");
	while (*at && *at != ']' && ret->n < PARTS_MAX) {
		at = take_part(at, ret->parts[ret->n], sizeof(ret->parts[0]));
		ret->n++;
		if (*at != '.')
			return;
		at += 1 + strspn(at + 1, " ");
	}
}

/* Where "runtimes" stands in the names of the CRI plugin's tables, 0 when it does not. */
static size_t runtimes_at(const struct header *h)
{
	static const char *const plugins[] = { "io.containerd.grpc.v1.cri",
					       "io.containerd.cri.v1.runtime", "cri" };

	if (h->n < 4 || !str_eq(h->parts[0], "plugins") || !str_eq(h->parts[2], "containerd"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(plugins); i++)
		if (str_eq(h->parts[1], plugins[i]) && str_eq(h->parts[3], "runtimes"))
			return 3;
	return 0;
}

static bool is_platforms(const struct header *h)
{
	return h->n == 4 && str_eq(h->parts[1], "io.containerd.cri.v1.images") &&
	       str_eq(h->parts[2], "runtime_platforms");
}

enum config_table config_table_of(const char *line, size_t n, char ret_name[HANDLER_NAME_MAX])
{
	char text[LINE_MAX_BYTES];
	struct header h;
	size_t at;

	(void)str_fmt(text, sizeof(text), "%.*s", (int)n, line);
	line = text + strspn(text, " \t");
	if (*line != '[')
		return CONFIG_NO_TABLE;
	header_read(line, &h);
	at = is_platforms(&h) ? 2 : runtimes_at(&h);
	if (at && h.n > at + 1) {
		(void)str_copy(ret_name, HANDLER_NAME_MAX, h.parts[at + 1]);
		return CONFIG_HANDLER;
	}
	if (h.n == 3) {
		/* With one part more it would be the table of the runtimes. */
		(void)str_copy(h.parts[h.n++], sizeof(h.parts[0]), "runtimes");
		return runtimes_at(&h) ? CONFIG_PARENT : CONFIG_OTHER;
	}
	return CONFIG_OTHER;
}

static struct runtime_handler *runtime_at(struct containerd_config *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->runtimes[i].name, name))
			return &c->runtimes[i];
	if (c->n == CONTAINERD_RUNTIMES)
		return NULL;
	(void)str_copy(c->runtimes[c->n].name, sizeof(c->runtimes[0].name), name);
	return &c->runtimes[c->n++];
}

/* A string without its quotes, or the value as it stands. */
static void unquote(const char *value, char *ret, size_t size)
{
	size_t n = strlen(value);

	if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value)
		(void)str_fmt(ret, size, "%.*s", (int)(n - 2), value + 1);
	else
		(void)str_copy(ret, size, value);
}

static void take_option(struct runtime_handler *r, const char *key, const char *value)
{
	if (str_eq(key, "SystemdCgroup"))
		r->systemd_cgroup = str_eq(value, "true");
	else
		r->other_options = true;
	if (str_eq(key, "ConfigPath"))
		unquote(value, r->config_path, sizeof(r->config_path));
	else if (str_eq(key, "BinaryName"))
		unquote(value, r->binary, sizeof(r->binary));
}

static void take_runtime(struct containerd_config *c, const struct header *h, size_t at,
			 const char *key, const char *value)
{
	struct runtime_handler *r = h->n > at + 1 ? runtime_at(c, h->parts[at + 1]) : NULL;
	bool own = h->n == at + 2;

	if (!r)
		return;
	if (own && str_eq(key, "runtime_type"))
		unquote(value, r->type, sizeof(r->type));
	else if (own && str_eq(key, "runtime_path"))
		unquote(value, r->path, sizeof(r->path));
	else if (own && str_eq(key, "pod_annotations"))
		(void)str_copy(r->annotations, sizeof(r->annotations), value);
	else if (!own)
		take_option(r, key, value);
}

/* A table of the plugin for images: which platform it is to pull for pods of a handler. */
static void take_platform(struct containerd_config *c, const struct header *h, const char *key,
			  const char *value)
{
	struct runtime_handler *r;

	if (!is_platforms(h) || !str_eq(key, "platform"))
		return;
	r = runtime_at(c, h->parts[3]);
	if (r)
		unquote(value, r->platform, sizeof(r->platform));
}

static void take_top(struct containerd_config *c, const char *key, const char *value)
{
	struct err ignored;
	uint64_t number;

	if (str_eq(key, "version") && str_u64(value, key, 100, &number, &ignored) == 0)
		c->version = (unsigned int)number;
	else if (str_eq(key, "disabled_plugins"))
		c->cri_disabled = strstr(value, "\"cri\"") || strstr(value, "'cri'") ||
				  strstr(value, "io.containerd.grpc.v1.cri");
	else if (str_eq(key, "imports"))
		c->has_imports = strpbrk(value, "\"'") != NULL;
}

static void take_value(struct containerd_config *c, const struct header *h, const char *key,
		       const char *value)
{
	size_t at = runtimes_at(h);

	if (!h->n)
		take_top(c, key, value);
	else if (at)
		take_runtime(c, h, at, key, value);
	else if (h->n == 3 && str_eq(h->parts[2], "containerd") &&
		 str_eq(key, "default_runtime_name"))
		unquote(value, c->default_runtime, sizeof(c->default_runtime));
	else
		take_platform(c, h, key, value);
}

/* Cuts white space and a comment off the end; a # inside quotes is no comment. */
static void trim(char *line)
{
	char quote = '\0';
	size_t n;

	for (n = 0; line[n] && (quote || line[n] != '#'); n++) {
		if (quote && line[n] == quote)
			quote = '\0';
		else if (!quote && (line[n] == '"' || line[n] == '\''))
			quote = line[n];
	}
	while (n && strchr(" \t\r", line[n - 1]))
		n--;
	line[n] = '\0';
}

static void take_line(struct containerd_config *c, struct header *h, char *line)
{
	char *equals, *key;
	size_t n;

	trim(line);
	key = line + strspn(line, " \t");
	if (*key == '[') {
		header_read(key, h);
		if (runtimes_at(h) && h->n > 4)
			(void)runtime_at(c, h->parts[4]);
		return;
	}
	equals = strchr(key, '=');
	if (!equals)
		return;
	*equals = '\0';
	for (n = strlen(key); n && strchr(" \t", key[n - 1]); n--)
		key[n - 1] = '\0';
	take_value(c, h, key, equals + 1 + strspn(equals + 1, " \t"));
}

void containerd_config_read(const char *text, struct containerd_config *ret)
{
	struct header h = { .n = 0 };
	char line[LINE_MAX_BYTES];
	const char *at;
	size_t n;

	memset(ret, 0, sizeof(*ret));
	ret->version = 1;
	while (str_line(&text, &at, &n)) {
		(void)str_fmt(line, sizeof(line), "%.*s", (int)n, at);
		take_line(ret, &h, line);
	}
}

const struct runtime_handler *handler_named(const struct containerd_config *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->runtimes[i].name, name))
			return &c->runtimes[i];
	return NULL;
}

/* True when the last part of @path is the shim's name. */
static bool names_shim(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && str_eq(slash + 1, CONTAINERD_SHIM);
}

bool handler_is_ours(const struct runtime_handler *r)
{
	if (r->path[0])
		return names_shim(r->path);
	return str_eq(r->type, CONTAINERD_TYPE) || names_shim(r->type);
}

void handler_name(const struct arch *a, char ret[HANDLER_NAME_MAX])
{
	(void)str_fmt(ret, HANDLER_NAME_MAX, HANDLER_NAME "%s%s", a ? "-" : "", a ? a->name : "");
}

const struct arch *handler_arch(const char *name)
{
	const char *arch = str_after(name, HANDLER_NAME "-");
	const struct arch *a = arch ? arch_by_name(arch, strlen(arch)) : NULL;

	return a && a->oci && str_eq(a->name, arch) ? a : NULL;
}

const struct runtime_handler *handler_ours(const struct containerd_config *c)
{
	const struct runtime_handler *usual = handler_named(c, HANDLER_NAME);

	if (usual && handler_is_ours(usual))
		return usual;
	for (size_t i = 0; i < c->n; i++)
		if (handler_is_ours(&c->runtimes[i]) && !handler_arch(c->runtimes[i].name))
			return &c->runtimes[i];
	return NULL;
}

const struct runtime_handler *handler_usual(const struct containerd_config *c)
{
	const struct runtime_handler *runc = handler_named(c, "runc");

	return runc ? runc : handler_named(c, c->default_runtime);
}

const char *handler_settings_path(const struct runtime_handler *r)
{
	if (!str_eq(r->type, CONTAINERD_RUNC_TYPE))
		return r->config_path;
	return str_ends(r->binary, ".json") ? r->binary : "";
}

bool handler_passes_annotations(const struct runtime_handler *r)
{
	return strstr(r->annotations, "\"io.crossarch.*\"") ||
	       strstr(r->annotations, "'io.crossarch.*'") || strstr(r->annotations, "\"*\"") ||
	       strstr(r->annotations, "'*'");
}

#define PARENT_3 "plugins.'io.containerd.cri.v1.runtime'.containerd"
#define PARENT_2 "plugins.\"io.containerd.grpc.v1.cri\".containerd"
#define PARENT_1 "plugins.cri.containerd"

const char *handlers_parent(unsigned int version)
{
	if (version >= 3)
		return PARENT_3;
	return version == 2 ? PARENT_2 : PARENT_1;
}

const char *handlers_table(unsigned int version)
{
	if (version >= 3)
		return PARENT_3 ".runtimes";
	return version == 2 ? PARENT_2 ".runtimes" : PARENT_1 ".runtimes";
}

/* --- the form of our handler ----------------------------------------------------------------- */

struct version {
	unsigned long major, minor, patch;
};

/* Zeros for what is not there: a version nobody can read is an old one. */
static struct version version_of(const char *text)
{
	struct version v = { 0, 0, 0 };
	char *end;

	v.major = strtoul(text, &end, 10);
	if (*end == '.')
		v.minor = strtoul(end + 1, &end, 10);
	if (*end == '.')
		v.patch = strtoul(end + 1, &end, 10);
	return v;
}

/* True for versions that tell the kubelet of features but ask only runtimes of runc's type. */
static bool asks_runc_only(const struct version *v)
{
	if (v->major != 2 || v->minor > 3)
		return false;
	return v->minor < 2 || v->patch < (v->minor == 2 ? 7 : 4);
}

static void take_runc_type(const char *shim, const struct containerd_config *node,
			   struct runtime_handler *ret)
{
	const struct runtime_handler *usual = handler_usual(node);

	(void)str_copy(ret->type, sizeof(ret->type), CONTAINERD_RUNC_TYPE);
	(void)str_copy(ret->path, sizeof(ret->path), shim);
	ret->systemd_cgroup = usual && usual->systemd_cgroup;
}

void handler_form(const char *version, const char *shim, const struct containerd_config *node,
		  struct runtime_handler *ret)
{
	const struct version v = version_of(version);

	*ret = (struct runtime_handler){ .name = HANDLER_NAME, .type = CONTAINERD_TYPE };
	if (asks_runc_only(&v))
		take_runc_type(shim, node, ret);
}

void handler_form_platform(const char *version, const char *shim,
			   const struct containerd_config *node, const struct arch *a,
			   const char *settings, struct runtime_handler *ret)
{
	const struct version v = version_of(version);

	*ret = (struct runtime_handler){ .type = CONTAINERD_TYPE };
	handler_name(a, ret->name);
	if (v.major < 2) {
		(void)str_copy(ret->config_path, sizeof(ret->config_path), settings);
		return;
	}
	take_runc_type(shim, node, ret);
	(void)str_copy(ret->binary, sizeof(ret->binary), settings);
	(void)str_fmt(ret->platform, sizeof(ret->platform), "linux/%s", a->name);
}

const char *handler_lacks(const struct runtime_handler *r, const char *version)
{
	const struct version v = version_of(version);

	if (r->path[0] && v.major == 1 && v.minor < 7)
		return "this containerd ignores runtime_path, so another shim runs";
	if (r->path[0] && access(r->path, X_OK) < 0)
		return "there is no program at its runtime_path";
	if (asks_runc_only(&v) && !str_eq(r->type, CONTAINERD_RUNC_TYPE))
		return "this containerd asks only runtimes of type " CONTAINERD_RUNC_TYPE
		       " for their features, so the kubelet refuses hostUsers: false and "
		       "recursiveReadOnly: Enabled";
	if (r->config_path[0] && !*handler_settings_path(r))
		return "its ConfigPath is not an option of runc's and does not reach the shim, "
		       "which reads " SETTINGS_FILE "; a BinaryName that ends in .json does";
	return NULL;
}

static bool beside_us(char *ret, size_t size)
{
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = n > 0 ? strrchr(self, '/') : NULL;

	return slash && str_fmt(ret, size, "%.*s/" CONTAINERD_SHIM, (int)(slash - self), self) &&
	       access(ret, X_OK) == 0;
}

int shim_path(const struct containerd *c, char *ret, size_t size, struct err *err)
{
	if (!path_search(c->path, CONTAINERD_SHIM, ret, size) && !beside_us(ret, size))
		return err_set(err, ERR_NOT_FOUND,
			       CONTAINERD_SHIM
			       " is neither in containerd's PATH (%.200s) nor beside "
			       "this program: install it first (make install)",
			       c->path);
	if (strpbrk(ret, "\"\\\n"))
		return err_set(err, ERR_INVALID,
			       "the path of the shim, %.200s, has a quote, backslash or line "
			       "break; install it elsewhere",
			       ret);
	return 0;
}
