/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/doctor.h"

#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/cli/emulators.h"
#include "runtime/cli/handler_settings.h"
#include "runtime/prepare/configure.h"

/* Handlers whose settings choose a platform for their pods. */

/* What the file of a handler comes to; false when it cannot be used, and @bad says why. */
static bool read_settings(const char *path, struct settings *ret, struct complaint *bad)
{
	struct prepare_request request = { .config_path = path };
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);

	if (configure_file(&request, &text, bad) != CONFIGURED)
		return false;
	request.settings = buf_str(&text);
	return configure(&request, NULL, ret, bad) == CONFIGURED;
}

/* NULL when its programs run here, else what keeps them from it; @how says what runs them. */
static const char *obstacle(const struct arch *a, char *how, size_t size)
{
	CLEANUP_NODE struct node n = NODE_INIT;
	const struct emulator *e;
	struct err ignored;

	if (!a)
		return "nothing can run";
	if (node_read(&n, &ignored) < 0)
		return NULL;
	if (host_runs(&n.host, a) == HOST_YES) {
		(void)str_copy(how, size, "this node's own");
		return NULL;
	}
	e = emulator_for(&n, a);
	if (!e || !e->entry->enabled || n.binfmt.state != BINFMT_ON)
		return "this node has no emulator";
	(void)str_fmt(how, size, "by the handler %s of binfmt_misc", e->entry->name);
	return NULL;
}

static void examine_choice(struct findings *f, const struct runtime_handler *r, const char *path,
			   const struct settings *s)
{
	const struct arch *meant = handler_arch(r->name), *a = platform_arch(&s->wanted);
	char platform[PLATFORM_TEXT], how[100] = "", differing[200];
	const char *why = obstacle(a, how, sizeof(how));

	platform_format(&s->wanted, platform);
	if (why) {
		found(f, GRADE_WARN, r->name, "%s of each image, for which %s", platform, why);
		fix(f, "crossarch emulators install %s", a ? arch_label(a) : "ARCH");
	} else {
		found(f, GRADE_GOOD, r->name, "%s of each image%s%s, settings %s", platform,
		      *how ? ", " : "", how, path);
	}
	if (meant && meant != a) {
		found(f, GRADE_WARN, r->name, "its settings choose %s", platform);
		fix(f, "set \"platform\" to \"linux/%s\" in %s", meant->name, path);
	}
	handler_settings_differ(path, differing, sizeof(differing));
	if (*differing)
		found(f, GRADE_INFO, r->name, "other settings than the node's in %s: %s", path,
		      differing);
}

static void examine_form(struct findings *f, const struct runtime_handler *r, const char *version)
{
	const char *lack = *version ? handler_lacks(r, version) : NULL;

	if (!lack)
		return;
	found(f, GRADE_WARN, r->name, "%s", lack);
	fix(f, "crossarch config containerd --write --restart %s",
	    handler_arch(r->name) ? handler_arch(r->name)->name : "");
}

static void examine(struct findings *f, const struct runtime_handler *r, const char *version)
{
	const char *path = handler_settings_path(r);
	struct complaint bad = { "", "", "" };
	bool platform = handler_arch(r->name);
	struct settings s;

	if (*path && !read_settings(path, &s, &bad)) {
		found(f, GRADE_BAD, r->name, "%s: %s", bad.what, bad.why);
		fix(f, "%s", bad.fix);
	} else if (*path && platform_known(&s.wanted)) {
		examine_choice(f, r, path, &s);
	} else if (platform) {
		found(f, GRADE_WARN, r->name, "its settings%s%s choose no platform",
		      *path ? " " : "", path);
		fix(f, "crossarch config containerd --write %s", handler_arch(r->name)->name);
	}
	if (platform)
		examine_form(f, r, version);
}

void doctor_platforms(struct findings *f, const struct containerd_config *config,
		      const struct runtime_handler *examined, const char *version)
{
	for (size_t i = 0; i < config->n; i++) {
		const struct runtime_handler *r = &config->runtimes[i];
		struct complaint ignored;
		struct settings s;

		if (!handler_is_ours(r))
			continue;
		/* The settings of the first one have been looked at but for this. */
		if (r != examined || (*handler_settings_path(r) &&
				      read_settings(handler_settings_path(r), &s, &ignored)))
			examine(f, r, version);
	}
}
