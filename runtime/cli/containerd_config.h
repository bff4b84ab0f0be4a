/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/arch/platform.h"
#include "runtime/base/err.h"
#include "runtime/cli/containerd_process.h"

/*
 * What we need to know of a containerd configuration. Reads TOML line by line, which is enough for
 * what "containerd config dump" prints and for finding the tables of a file that a person wrote;
 * values that go over several lines are not read.
 */
#define CONTAINERD_RUNTIMES 64

#define HANDLER_NAME "crossarch"
#define HANDLER_NAME_MAX 64

struct runtime_handler {
	char name[HANDLER_NAME_MAX], type[128];
	char path[512];		      /* runtime_path, "" without one */
	char annotations[512];	      /* pod_annotations as written */
	char config_path[256];	      /* ConfigPath of its options: a file of our settings */
	char binary[256];	      /* BinaryName of its options */
	char platform[PLATFORM_TEXT]; /* what runtime_platforms says for it (2.x) */
	bool systemd_cgroup;
	bool other_options; /* any but SystemdCgroup: what --write never writes */
};

struct containerd_config {
	unsigned int version; /* 1 when the file does not say */
	bool cri_disabled;
	bool has_imports;
	char default_runtime[64];
	struct runtime_handler runtimes[CONTAINERD_RUNTIMES];
	size_t n;
};

void containerd_config_read(const char *text, struct containerd_config *ret);

const struct runtime_handler *handler_named(const struct containerd_config *c, const char *name);

/*
 * True when our shim runs for this handler: by its runtime type, or because it names the program,
 * in runtime_path or as the type.
 */
bool handler_is_ours(const struct runtime_handler *r);

/*
 * Handlers for one platform are called crossarch-ARCH, with the name of the architecture in OCI.
 * The first of these writes down the name, "crossarch" alone for @a NULL; the other one reads it:
 * NULL when @name is not of this form.
 */
void handler_name(const struct arch *a, char ret[HANDLER_NAME_MAX]);
const struct arch *handler_arch(const char *name);

/*
 * The first handler of ours that is not for one platform, preferably the one called crossarch; NULL
 * without.
 */
const struct runtime_handler *handler_ours(const struct containerd_config *c);

/* The handler whose options the node's other pods have: runc's, else the default one; or NULL. */
const struct runtime_handler *handler_usual(const struct containerd_config *c);

/*
 * The path of the settings that the handler's shim gets; "" for the default one. In options of
 * runc's type that is a BinaryName that ends in .json (shim/task/options.c): that type has no
 * ConfigPath, and containerd drops it.
 */
const char *handler_settings_path(const struct runtime_handler *r);

/* True when pods may set io.crossarch.* annotations for it. */
bool handler_passes_annotations(const struct runtime_handler *r);

/*
 * The table that holds the runtimes, and the one that table is in, which has the name of the
 * default one; in the notation of a file of @version. Static storage.
 */
const char *handlers_table(unsigned int version);
const char *handlers_parent(unsigned int version);

/* What kind of table the line @line of a file begins. */
enum config_table {
	CONFIG_NO_TABLE, /* the line begins none */
	CONFIG_PARENT,	 /* handlers_parent() of any version */
	CONFIG_HANDLER,	 /* of one handler, or within it: *@ret_name is which */
	CONFIG_OTHER,
};
enum config_table config_table_of(const char *line, size_t n, char ret_name[HANDLER_NAME_MAX]);

/*
 * A handler of ours can be written in two ways: with our own runtime type, or with runc's type and
 * the path of our shim. Which one is right depends on which runtimes that containerd asks for their
 * features: without them a kubelet refuses hostUsers: false and recursiveReadOnly: Enabled.
 *
 *   1.6       ignores runtime_path; tells the kubelet of no handler's features
 *   1.7       takes both; tells of no features either
 *   2.0 to    asks only runtimes of type io.containerd.runc.v2, which is then our shim with
 *   2.2.6,    the path; options for runc arrive as well
 *   2.3.0-3
 *   2.2.7,    asks any runtime (containerd#13504, #13778)
 *   2.3.4, 2.4
 */

/*
 * Fills @ret with the handler crossarch as containerd @version ("2.1.9~ds1") wants it, apart from
 * its annotations. @shim is the absolute path of the program. With runc's type come the cgroup
 * driver of the node's usual handler; with ours the driver follows from the form of cgroupsPath.
 */
void handler_form(const char *version, const char *shim, const struct containerd_config *node,
		  struct runtime_handler *ret);

/*
 * The same for crossarch-ARCH, whose shim gets the file @settings. All of 2.x want runc's type
 * then: with options of another type they start no pod that has a user namespace
 * (containerd#11091).
 */
void handler_form_platform(const char *version, const char *shim,
			   const struct containerd_config *node, const struct arch *a,
			   const char *settings, struct runtime_handler *ret);

/*
 * What the handler @r, one of ours, cannot do on containerd @version, for a person; NULL when there
 * is nothing. Static storage.
 */
const char *handler_lacks(const struct runtime_handler *r, const char *version);

/*
 * Our shim: in the PATH of containerd, else beside this program. ERR_NOT_FOUND when it is in
 * neither, ERR_INVALID when its path cannot be written down in TOML.
 */
MUST_CHECK int shim_path(const struct containerd *c, char *ret, size_t size, struct err *err);
