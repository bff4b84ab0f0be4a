/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/arena.h"
#include "runtime/containerd/chain_id.h"
#include "runtime/oci/json.h"

/*
 * What CRI was asked to make a container of: its record of the container, the extension
 * io.cri-containerd.container.metadata (containerd's internal/cri/store/container/metadata.go). Its
 * "Config" is the kubelet's ContainerConfig, with the names and omissions of Go's JSON: a number
 * that is 0 is left out, an Int64Value of 0 is {}.
 */
struct cri_container {
	json *document;		    /* owned; the strings live in it */
	const char *sandbox;	    /* id of its pod's sandbox */
	char image_ref[DIGEST_MAX]; /* digest of the image's configuration */
	const char *image;	    /* as the kubelet names it, often by that digest again */
	const char *written_image;  /* as the pod writes it; "" where CRI was not told */
	const char *const *command, *const *args;
	json *envs; /* list of {key, value}, NULL without */
	const char *cwd;
	bool has_user, has_group;
	int64_t user, group;
	const char *username; /* "" without one */
	json *groups;	      /* supplemental_groups, a list of numbers, NULL without */
	bool strict_groups;   /* and those are all: the image's /etc/group does not count */
};

#define CLEANUP_CRI_CONTAINER CLEANUP(cri_container_deinit)
void cri_container_deinit(struct cri_container *c);

/* Arrays live in @arena. ERR_INVALID when it is no such record. */
MUST_CHECK int cri_container_parse(const char *text, struct arena *arena, struct cri_container *ret,
				   struct err *err);

/*
 * The runtime handler that CRI noted in its record of a sandbox (the extension
 * io.cri-containerd.sandbox.metadata), in @arena. "" for the default one.
 */
MUST_CHECK int cri_sandbox_handler(const char *text, struct arena *arena, const char **ret,
				   struct err *err);

/* Whether the kubelet, and so the pod, sets the variable that @entry ("NAME=VALUE") is about. */
bool cri_container_sets(const struct cri_container *c, const char *entry);
