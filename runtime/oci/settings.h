/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "runtime/arch/platform.h"
#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/base/log.h"
#include "runtime/oci/spec.h"

/*
 * What people can set: the node's configuration file, the options table of containerd's
 * configuration, and a pod's annotations, each one overriding those before it. One table in
 * settings.c holds every key; README.md, "Settings", documents them.
 */
#define SETTINGS_FILE CROSSARCH_SYSCONFDIR "/crossarch/config.json"
#define SETTINGS_ANNOTATION "io.crossarch."
#define SETTINGS_PULLS_AT_ONCE 2 /* unless set */
#define SETTINGS_PULLS_MAX 64
#define SETTINGS_CPUS 16
#define SETTINGS_VARIABLES 16

struct settings_cpu {
	char platform[PLATFORM_TEXT]; /* "" for every platform */
	char model[64];
};

/* One of qemu's own environment variables. */
struct settings_variable {
	char name[48];
	char value[128];
};

struct settings {
	char engine[256]; /* "", "runc", "crun" or an absolute path */
	bool emulation_never, seccomp_keep, private_emulators, image_check;
	enum log_level log_level;
	struct platform wanted; /* the platform a pod asks for, or its runtime handler */
	bool wanted_by_pod;	/* it was the pod: an annotation of its own */
	bool pull_never;	/* nothing is pulled for @wanted */
	uint64_t pulls_at_once; /* how many images this node pulls for @wanted at a time */
	uint64_t pull_max_mb;	/* millions of compressed bytes of an image, 0: no limit */
	char credentials[256];	/* a config.json for registries, "": those of the kubelet */
	struct settings_cpu cpus[SETTINGS_CPUS];
	size_t n_cpus;
	struct settings_variable variables[SETTINGS_VARIABLES];
	size_t n_variables;
	/* runc's own options, when the options table has them */
	bool systemd_cgroup, no_pivot_root, no_new_keyring;
	uint64_t io_uid, io_gid;
	char root[256], shim_cgroup[256], criu_image_path[256], criu_work_path[256];
};

/* What is wrong with a configuration, in the parts of the line that people see (diagnosis.h). */
struct complaint {
	char what[400], why[300], fix[240];
};

void settings_init(struct settings *s);

/*
 * All of these return 0, or -1 with a filled @bad. Nothing of @s is to be used after a failure.
 * @where names the source for the person: a path, or "the runtime's options".
 */
MUST_CHECK int settings_from_json(struct settings *s, json *document, const char *where,
				  struct complaint *bad);
MUST_CHECK int settings_from_toml(struct settings *s, const char *text, const char *where,
				  struct complaint *bad);
MUST_CHECK int settings_from_annotations(struct settings *s, const struct spec *spec,
					 struct complaint *bad);

/* The processor model set for guests of architecture @a; "" without. */
const char *settings_cpu(const struct settings *s, const struct arch *a);
