/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/doctor.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/containerd_config.h"
#include "runtime/cli/containerd_process.h"
#include "runtime/cli/subprocess.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/prepare/configure.h"

/* --- engines and settings -------------------------------------------------------------------- */

#define VERSION_MS 3000

/* The first line of "ENGINE --version", "" when it does not say. */
static void version_of(const char *path, char *ret, size_t size)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	char name[] = "engine", option[] = "--version";
	char *const argv[] = { name, option, NULL };
	const struct subprocess run = {
		.path = path, .argv = argv, .keep_fd = -1, .timeout_ms = VERSION_MS, .out = &out
	};
	struct subprocess_result result;
	struct err ignored;

	ret[0] = '\0';
	if (subprocess_run(&run, &result, &ignored) == 0 && result.end == SUBPROCESS_EXITED &&
	    !result.value)
		(void)str_fmt(ret, size, "%.*s", (int)strcspn(buf_str(&out), "\n"), buf_str(&out));
}

static bool examine_engine(struct findings *f, const char *name, const char *search)
{
	char path[PATH_MAX], version[160];
	struct err ignored;
	bool is_shim;

	if (configure_engine(name, search, path, sizeof(path), &is_shim, &ignored) < 0 || is_shim)
		return false;
	version_of(path, version, sizeof(version));
	if (version[0])
		found(f, GRADE_GOOD, name, "%s, %s", version, path);
	else
		found(f, GRADE_BAD, name, "%s does not run", path);
	if (!version[0])
		fix(f, "reinstall %s", name);
	return true;
}

/* The node configuration in @path, NULL for the default one, read as every Create reads it. */
static bool read_settings(const char *path, struct settings *ret, struct complaint *bad)
{
	struct prepare_request request = { .config_path = path ? path : "" };
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);

	if (configure_file(&request, &text, bad) != CONFIGURED)
		return false;
	request.settings = buf_str(&text);
	return configure(&request, NULL, ret, bad) == CONFIGURED;
}

static void examine_settings(struct findings *f, const char *path)
{
	const char *file = path ? path : SETTINGS_FILE;
	struct complaint bad = { "", "", "" };
	struct settings s;

	if (read_settings(path, &s, &bad)) {
		found(f, GRADE_GOOD, "configuration", "%s%s", file,
		      access(file, F_OK) == 0 ? "" : " does not exist, all defaults");
		return;
	}
	found(f, GRADE_BAD, "configuration", "%s: %s", bad.what, bad.why);
	fix(f, "%s", bad.fix);
}

void doctor_engines(struct findings *f, const struct installation *at)
{
	const char *search = at->containerd.path ? at->containerd.path : getenv("PATH");
	bool runc, crun;

	f->section = "engines";
	runc = examine_engine(f, "runc", search);
	crun = examine_engine(f, "crun", search);
	if (!runc && !crun) {
		found(f, GRADE_BAD, "engine", "neither runc nor crun is installed");
		fix(f, "apt-get install runc");
	}
	examine_settings(f, NULL);
}

/* --- containerd ------------------------------------------------------------------------------ */

#define ANSWER_MS 5000

/* The version the running daemon gives over its API. */
static bool ask_version(const char *socket, char *ret, size_t size, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	const struct rpc_target target = { .socket = socket, .timeout_ms = ANSWER_MS };
	const char *version;
	struct rpc *rpc; /* never closed: main() ends with _exit() */

	if (rpc_open(&target, &rpc, err) < 0 || containerd_version(rpc, &arena, &version, err) < 0)
		return false;
	return str_copy(ret, size, *version == 'v' ? version + 1 : version);
}

/* How the handler is written, and what that costs with this containerd. */
static void examine_form(struct findings *f, const struct containerd *c,
			 const struct runtime_handler *r)
{
	char version[64];
	struct err ignored;
	const char *lack;

	if (r->path[0])
		found(f, GRADE_GOOD, "handler", "%s (%s, with runtime_path %s)", r->name, r->type,
		      r->path);
	else
		found(f, GRADE_GOOD, "handler", "%s (%s)", r->name, r->type);
	if (containerd_program_version(c, version, sizeof(version), &ignored) < 0)
		return;
	lack = handler_lacks(r, version);
	if (!lack)
		return;
	found(f, GRADE_WARN, "handler", "%s: %s", r->name, lack);
	fix(f, "crossarch config containerd --write --restart (it says so when the handler has to "
	       "be changed by hand)");
}

/* As k3s writes it for shims that it finds. */
static void examine_engine_of(struct findings *f, const struct containerd *c,
			      const struct runtime_handler *r)
{
	char path[PATH_MAX];
	struct err ignored;
	bool is_shim = false;

	if (r->binary[0])
		(void)!configure_engine(r->binary, c->path, path, sizeof(path), &is_shim, &ignored);
	if (!is_shim)
		return;
	found(f, GRADE_WARN, "handler", "%s: its BinaryName %s is our shim, which is no engine",
	      r->name, r->binary);
	fix(f, "nothing breaks, %s is used; take BinaryName out of the options of %s",
	    *path ? path : "none", r->name);
}

/* A node whose every pod is ours, perhaps only to say why it does not run. */
static void examine_default(struct findings *f, const struct containerd_config *config,
			    const struct runtime_handler *r)
{
	const char *path = handler_settings_path(r);
	struct complaint ignored;
	struct settings s;
	bool never;

	if (!str_eq(config->default_runtime, r->name))
		return;
	never = read_settings(*path ? path : NULL, &s, &ignored) && s.emulation_never;
	found(f, GRADE_INFO, "default runtime", "%s, for every pod that names no class%s", r->name,
	      never ? "; nothing is emulated for it" : "");
}

static void examine_handler(struct findings *f, const struct containerd *c,
			    const struct containerd_config *config)
{
	const struct runtime_handler *r = handler_ours(config);

	if (config->cri_disabled) {
		found(f, GRADE_BAD, "CRI", "switched off in %s: no kubelet can use it", c->config);
		fix(f, "take \"cri\" out of disabled_plugins in %s, then restart containerd",
		    c->config);
		return;
	}
	if (!r) {
		found(f, GRADE_BAD, "handler", "no runtime of crossarch in %s or what it imports",
		      c->config);
		fix(f, "crossarch config containerd --write --restart");
		return;
	}
	examine_form(f, c, r);
	examine_engine_of(f, c, r);
	if (*handler_settings_path(r))
		examine_settings(f, handler_settings_path(r));
	examine_default(f, config, r);
	if (handler_passes_annotations(r)) {
		found(f, GRADE_GOOD, "annotations", "io.crossarch.* reach the runtime");
		return;
	}
	found(f, GRADE_WARN, "annotations", "io.crossarch.* of pods do not reach the runtime");
	fix(f, "add pod_annotations = [\"io.crossarch.*\"] to the table of %s in %s", r->name,
	    c->config);
}

/* The file may be newer than the process that read it. */
static void examine_config(struct findings *f, const struct containerd *c)
{
	CLEANUP_BUF struct buf dump = BUF_INIT(4u << 20);
	CLEANUP_FREE struct containerd_config *config = calloc(1, sizeof(*config));
	struct err err = ERR_INIT;
	char version[64];

	if (!config)
		return;
	if (containerd_dump_config(c, access(c->config, F_OK) == 0 ? c->config : "/dev/null", &dump,
				   &err) < 0) {
		found(f, GRADE_BAD, "configuration", "%s", err.text);
		fix(f, "correct %s", c->config);
		return;
	}
	containerd_config_read(buf_str(&dump), config);
	examine_handler(f, c, config);
	if (containerd_program_version(c, version, sizeof(version), &err) < 0)
		version[0] = '\0';
	if (!config->cri_disabled)
		doctor_platforms(f, config, handler_ours(config), version);
}

static void examine_shim(struct findings *f, const struct containerd *c)
{
	char path[PATH_MAX];

	if (path_search(c->path, CONTAINERD_SHIM, path, sizeof(path))) {
		found(f, GRADE_GOOD, "shim", "%s", path);
		return;
	}
	found(f, GRADE_BAD, "shim", "%s is not in containerd's PATH (%.200s)", CONTAINERD_SHIM,
	      c->path);
	fix(f, "make install PREFIX=/usr/local, or put the directory into containerd's PATH");
}

static void examine_daemon(struct findings *f, const struct installation *at)
{
	const struct containerd *c = &at->containerd;
	const char *socket = at->socket;
	char version[64] = "";
	struct err err = ERR_INIT;

	if (!c->pid) {
		if (containerd_program_version(c, version, sizeof(version), &err) < 0)
			(void)str_copy(version, sizeof(version), "of unknown version");
		found(f, GRADE_BAD, "containerd", "%s is installed, but nobody answers on %s",
		      version, socket);
		fix(f, "%s (as root), or name its socket with --address", at->restart);
	} else if (ask_version(socket, version, sizeof(version), &err)) {
		found(f, GRADE_GOOD, "containerd", "%s, pid %d, %s", version, c->pid, c->config);
	} else {
		found(f, GRADE_BAD, "containerd", "pid %d does not answer: %s", c->pid, err.text);
		fix(f, "%s", at->restart);
	}
}

static void examine_distribution(struct findings *f, const struct installation *at)
{
	found(f, GRADE_INFO, "distribution", "%s, socket %s, restarted by %s%s",
	      at->distribution->title, at->socket,
	      at->distribution->by_itself ? "itself when its files change, else by " : "",
	      at->restart);
}

/* The daemon is asked last, for gRPC must not be followed by a fork, and shown first. */
static void last_to(struct findings *f, size_t place)
{
	struct finding last = f->list[f->n - 1];

	memmove(&f->list[place + 1], &f->list[place], (f->n - 1 - place) * sizeof(last));
	f->list[place] = last;
}

void doctor_containerd(struct findings *f, const struct installation *at, const struct err *err)
{
	size_t first;

	f->section = "containerd";
	if (!at->distribution || !at->containerd.path) {
		found(f, GRADE_BAD, "containerd", "%s", err->text);
		fix(f, "apt-get install containerd, or name its socket with --address");
		return;
	}
	first = f->n;
	examine_distribution(f, at);
	examine_config(f, &at->containerd);
	examine_shim(f, &at->containerd);
	examine_daemon(f, at);
	last_to(f, first);
}
