/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/settings.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/oci/toml.h"

/* Who may set a key. */
enum source { FROM_FILE = 1, FROM_OPTIONS = 2, FROM_POD = 4 };

/* One value on its way in, in the only form all three sources can give. */
struct setting {
	const char *text; /* numbers and booleans as written */
	bool quoted;	  /* it was text in its source */
};

struct key {
	const char *name;	/* in the file; also that of the annotation unless given */
	const char *annotation; /* differing spelling after the prefix */
	unsigned int sources;	/* enum source */
	const char *allowed;	/* for the person, after "the values are" */
	bool (*set)(struct settings *s, const struct key *k, const struct setting *v);
	size_t offset, size; /* of the member, for the plain setters */
};

static void *member(struct settings *s, const struct key *k)
{
	return (char *)s + k->offset;
}

static bool set_bool(struct settings *s, const struct key *k, const struct setting *v)
{
	bool yes = str_eq(v->text, "true");

	*(bool *)member(s, k) = yes;
	return yes || str_eq(v->text, "false");
}

static bool set_number(struct settings *s, const struct key *k, const struct setting *v)
{
	struct err err;

	return !v->quoted &&
	       str_u64(v->text, k->name, UINT32_MAX, (uint64_t *)member(s, k), &err) == 0;
}

static bool set_text(struct settings *s, const struct key *k, const struct setting *v)
{
	return v->quoted && str_copy(member(s, k), k->size, v->text);
}

static bool set_engine(struct settings *s, const struct key *k, const struct setting *v)
{
	bool known = str_eq(v->text, "runc") || str_eq(v->text, "crun") || v->text[0] == '/';

	return known && set_text(s, k, v);
}

static bool set_emulation(struct settings *s, const struct key *k, const struct setting *v)
{
	(void)k;
	s->emulation_never = str_eq(v->text, "never");
	return s->emulation_never || str_eq(v->text, "auto");
}

static bool set_seccomp(struct settings *s, const struct key *k, const struct setting *v)
{
	(void)k;
	s->seccomp_keep = str_eq(v->text, "keep");
	return s->seccomp_keep || str_eq(v->text, "adapt");
}

static bool set_log_level(struct settings *s, const struct key *k, const struct setting *v)
{
	(void)k;
	return log_level_parse(v->text, &s->log_level);
}

static bool set_wanted(struct settings *s, const struct key *k, const struct setting *v)
{
	struct err err;

	(void)k;
	s->wanted_by_pod = false;
	return v->quoted && platform_parse(v->text, &s->wanted, &err) == 0;
}

static bool set_wanted_by_pod(struct settings *s, const struct key *k, const struct setting *v)
{
	bool known = set_wanted(s, k, v);

	s->wanted_by_pod = known;
	return known;
}

static bool set_pull(struct settings *s, const struct key *k, const struct setting *v)
{
	(void)k;
	s->pull_never = str_eq(v->text, "never");
	return s->pull_never || str_eq(v->text, "auto");
}

/* What the node forbids, a pod cannot permit: so "auto" is no word for it. */
static bool set_pull_by_pod(struct settings *s, const struct key *k, const struct setting *v)
{
	(void)k;
	s->pull_never |= str_eq(v->text, "never");
	return str_eq(v->text, "never");
}

static bool set_pulls_at_once(struct settings *s, const struct key *k, const struct setting *v)
{
	return set_number(s, k, v) && s->pulls_at_once >= 1 &&
	       s->pulls_at_once <= SETTINGS_PULLS_MAX;
}

static bool set_path(struct settings *s, const struct key *k, const struct setting *v)
{
	return v->text[0] == '/' && set_text(s, k, v);
}

/* Model names reach an environment variable: qemu's are letters, digits and , = . _ + - */
static bool good_model(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				",=._+-");

	return n > 0 && !text[n];
}

static bool add_cpu(struct settings *s, const char *platform, const char *model)
{
	struct settings_cpu *cpu = &s->cpus[s->n_cpus];

	if (s->n_cpus == SETTINGS_CPUS || !good_model(model) ||
	    !str_copy(cpu->platform, sizeof(cpu->platform), platform) ||
	    !str_copy(cpu->model, sizeof(cpu->model), model))
		return false;
	s->n_cpus++;
	return true;
}

static bool set_cpu(struct settings *s, const struct key *k, const struct setting *v)
{
	(void)k;
	s->n_cpus = 0;
	return v->quoted && add_cpu(s, "", v->text);
}

static bool set_qemu(struct settings *s, const struct key *k, const struct setting *v)
{
	(void)s;
	(void)k;
	(void)v;
	return false; /* it is an object: set_variables() */
}

#define BOOLEAN "true and false"
#define MEMBER(m) offsetof(struct settings, m), sizeof(((struct settings *)0)->m)
#define NODE (FROM_FILE | FROM_OPTIONS)
#define ALL (NODE | FROM_POD)

static const struct key keys[] = {
	{ "engine", NULL, NODE, "runc, crun and an absolute path", set_engine, MEMBER(engine) },
	{ "emulation", NULL, ALL, "auto and never", set_emulation, 0, 0 },
	{ "platform", NULL, NODE, "platforms such as linux/arm64", set_wanted, 0, 0 },
	{ "platform", NULL, FROM_POD, "platforms such as linux/arm64", set_wanted_by_pod, 0, 0 },
	{ "pull", NULL, NODE, "auto and never", set_pull, 0, 0 },
	{ "pull", NULL, FROM_POD, "never alone: a pod can forbid a pull, not permit one",
	  set_pull_by_pod, 0, 0 },
	{ "pulls_at_once", NULL, NODE, "whole numbers from 1 to 64", set_pulls_at_once,
	  MEMBER(pulls_at_once) },
	{ "pull_max_mb", NULL, NODE, "whole numbers of megabytes, 0 for no limit", set_number,
	  MEMBER(pull_max_mb) },
	{ "credentials", NULL, NODE, "absolute paths of a config.json for registries", set_path,
	  MEMBER(credentials) },
	{ "cpu", NULL, ALL, "names of qemu CPU models", set_cpu, 0, 0 },
	{ "qemu", NULL, FROM_FILE,
	  "objects of variables such as {\"QEMU_STACK_SIZE\": \"8388608\"}", set_qemu, 0, 0 },
	{ "seccomp", NULL, ALL, "adapt and keep", set_seccomp, 0, 0 },
	{ "private_emulators", "private-emulators", ALL, BOOLEAN, set_bool,
	  MEMBER(private_emulators) },
	{ "image_check", NULL, NODE, BOOLEAN, set_bool, MEMBER(image_check) },
	{ "log_level", NULL, NODE, "error, warning, info and debug", set_log_level, 0, 0 },
	/* runc's options, as they are spelled in containerd's configuration */
	{ "BinaryName", NULL, FROM_OPTIONS, "runc, crun and an absolute path", set_engine,
	  MEMBER(engine) },
	{ "Root", NULL, FROM_OPTIONS, "paths", set_text, MEMBER(root) },
	{ "ShimCgroup", NULL, FROM_OPTIONS, "paths", set_text, MEMBER(shim_cgroup) },
	{ "CriuImagePath", NULL, FROM_OPTIONS, "paths", set_text, MEMBER(criu_image_path) },
	{ "CriuWorkPath", NULL, FROM_OPTIONS, "paths", set_text, MEMBER(criu_work_path) },
	{ "SystemdCgroup", NULL, FROM_OPTIONS, BOOLEAN, set_bool, MEMBER(systemd_cgroup) },
	{ "NoPivotRoot", NULL, FROM_OPTIONS, BOOLEAN, set_bool, MEMBER(no_pivot_root) },
	{ "NoNewKeyring", NULL, FROM_OPTIONS, BOOLEAN, set_bool, MEMBER(no_new_keyring) },
	{ "IoUid", NULL, FROM_OPTIONS, "user numbers", set_number, MEMBER(io_uid) },
	{ "IoGid", NULL, FROM_OPTIONS, "group numbers", set_number, MEMBER(io_gid) },
};

void settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	s->image_check = true;
	s->pulls_at_once = SETTINGS_PULLS_AT_ONCE;
	s->log_level = LOG_INFO;
}

static const char *key_name(const struct key *k, enum source source)
{
	ASSERT(k); /* names written here are in the table */
	return source == FROM_POD && k->annotation ? k->annotation : k->name;
}

static const struct key *key_find(const char *name, enum source source)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if ((keys[i].sources & source) && str_eq(key_name(&keys[i], source), name))
			return &keys[i];
	return NULL;
}

/* "engine, emulation, cpu": what exists, for somebody who mistyped. */
static void list_keys(enum source source, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		bool foreign = keys[i].name[0] >= 'A' && keys[i].name[0] <= 'Z';

		if (!(keys[i].sources & source) || foreign)
			continue;
		if (!str_fmt(text + n, size - n, "%s%s", n ? ", " : "", key_name(&keys[i], source)))
			return;
		n += strlen(text + n);
	}
}

/* "key x" of a file, "annotation io.crossarch.x" of a pod. */
static void name_key(enum source source, const char *name, char *text, size_t size)
{
	(void)str_fmt(text, size, "%s%.60s", source == FROM_POD ? SETTINGS_ANNOTATION : "", name);
}

static int complain_unknown(enum source source, const char *name, const char *where,
			    struct complaint *bad)
{
	char full[80], known[240];

	name_key(source, name, full, sizeof(full));
	list_keys(source, known, sizeof(known));
	(void)str_fmt(bad->what, sizeof(bad->what), "%.200s has the key \"%s\"", where, full);
	(void)str_fmt(bad->why, sizeof(bad->why), "no such key exists; %s %s",
		      source == FROM_POD ? SETTINGS_ANNOTATION " goes with" : "the keys are",
		      known);
	(void)str_fmt(bad->fix, sizeof(bad->fix), "remove or correct \"%s\"", full);
	return -1;
}

static int complain_value(const struct key *k, enum source source, const char *value,
			  const char *where, struct complaint *bad)
{
	char full[80];

	name_key(source, key_name(k, source), full, sizeof(full));
	(void)str_fmt(bad->what, sizeof(bad->what), "%.200s sets \"%s\" to \"%.80s\"", where, full,
		      value);
	(void)str_fmt(bad->why, sizeof(bad->why), "the values are %s", k->allowed);
	(void)str_fmt(bad->fix, sizeof(bad->fix), "correct \"%s\" in %.120s", full, where);
	return -1;
}

static int complain_form(const char *where, const char *why, struct complaint *bad)
{
	(void)str_fmt(bad->what, sizeof(bad->what), "%.200s cannot be read", where);
	(void)str_fmt(bad->why, sizeof(bad->why), "%.280s", why);
	(void)str_fmt(bad->fix, sizeof(bad->fix), "correct %.120s", where);
	return -1;
}

static int set(struct settings *s, enum source source, const char *name, const struct setting *v,
	       const char *where, struct complaint *bad)
{
	const struct key *k = key_find(name, source);

	if (!k)
		return complain_unknown(source, name, where, bad);
	if (!k->set(s, k, v))
		return complain_value(k, source, v->text, where, bad);
	return 0;
}

/* "cpu" may be an object of platforms in the file. */
static int set_cpu_map(struct settings *s, json *map, const char *where, struct complaint *bad)
{
	const struct key *k = key_find("cpu", FROM_FILE);

	s->n_cpus = 0;
	json_object_object_foreach(map, name, model)
	{
		struct platform p;
		struct err err;

		const char *text = model ? json_object_get_string(model) : "null";

		if (platform_parse(name, &p, &err) < 0)
			return complain_value(k, FROM_FILE, name, where, bad);
		if (!json_object_is_type(model, json_type_string) || !add_cpu(s, p.arch, text))
			return complain_value(k, FROM_FILE, text, where, bad);
	}
	return 0;
}

/* Names that make qemu listen, write files or wait are not for a node's containers. */
static bool add_variable(struct settings *s, const char *name, json *value)
{
	static const char *const barred[] = { "QEMU_CPU", "QEMU_GDB", "QEMU_LOG_FILENAME" };
	struct settings_variable *v = &s->variables[s->n_variables];
	bool good = str_after(name, "QEMU_") && s->n_variables < SETTINGS_VARIABLES &&
		    json_object_is_type(value, json_type_string) && !strchr(name, '=');

	for (size_t i = 0; i < ARRAY_SIZE(barred); i++)
		good = good && !str_eq(name, barred[i]);
	if (!good || !str_copy(v->name, sizeof(v->name), name) ||
	    !str_copy(v->value, sizeof(v->value), json_object_get_string(value)))
		return false;
	s->n_variables++;
	return true;
}

static int set_variables(struct settings *s, json *map, const char *where, struct complaint *bad)
{
	s->n_variables = 0;
	json_object_object_foreach(map, name, value)
	{
		if (!add_variable(s, name, value))
			return complain_value(key_find("qemu", FROM_FILE), FROM_FILE, name, where,
					      bad);
	}
	return 0;
}

int settings_from_json(struct settings *s, json *document, const char *where, struct complaint *bad)
{
	if (!json_object_is_type(document, json_type_object))
		return complain_form(where, "it is not a JSON object", bad);
	json_object_object_foreach(document, name, value)
	{
		struct setting v = { .quoted = json_object_is_type(value, json_type_string) };

		if (str_eq(name, "cpu") && json_object_is_type(value, json_type_object)) {
			if (set_cpu_map(s, value, where, bad) < 0)
				return -1;
			continue;
		}
		if (str_eq(name, "qemu") && json_object_is_type(value, json_type_object)) {
			if (set_variables(s, value, where, bad) < 0)
				return -1;
			continue;
		}
		v.text = value ? json_object_get_string(value) : "null";
		if (set(s, FROM_FILE, name, &v, where, bad) < 0)
			return -1;
	}
	return 0;
}

int settings_from_toml(struct settings *s, const char *text, const char *where,
		       struct complaint *bad)
{
	struct toml_value line;
	struct err err;
	int rc;

	while ((rc = toml_next(&text, &line, &err)) > 0) {
		struct setting v = { line.text, line.kind == TOML_TEXT };

		if (str_eq(line.key, "TypeUrl") || str_eq(line.key, "ConfigPath"))
			continue;
		if (set(s, FROM_OPTIONS, line.key, &v, where, bad) < 0)
			return -1;
	}
	if (rc == 0)
		return 0;
	(void)complain_form(where, err.text, bad);
	(void)str_fmt(bad->fix, sizeof(bad->fix),
		      "put the settings into a JSON file and name it with ConfigPath in %.80s",
		      where);
	return -1;
}

int settings_from_annotations(struct settings *s, const struct spec *spec, struct complaint *bad)
{
	json *all = json_member(spec->document, "annotations");

	if (!all)
		return 0;
	json_object_object_foreach(all, name, value)
	{
		const char *key = str_after(name, SETTINGS_ANNOTATION);
		struct setting v = { json_object_get_string(value), true };

		if (key && set(s, FROM_POD, key, &v, "the pod", bad) < 0)
			return -1;
	}
	return 0;
}

const char *settings_cpu(const struct settings *s, const struct arch *a)
{
	for (size_t i = 0; i < s->n_cpus; i++)
		if (!s->cpus[i].platform[0] || str_eq(s->cpus[i].platform, a->name))
			return s->cpus[i].model;
	return "";
}
