/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/buf.h"
#include "runtime/choose/cri_container.h"
#include "runtime/choose/image_process.h"

/*
 * CRI made the process of a container from the pod's request and from the node's own variant of the
 * image. Another variant may say something else.
 */
struct process_variant {
	const struct cri_container *container;
	const struct image_process *own, *wanted; /* of the two variants */
};

/*
 * Changes process.args, .env and .cwd of @spec, an OCI specification, to what CRI would have made
 * of the wanted variant (containerd's internal/cri/opts/spec_opts.go, WithProcessArgs). Only what
 * came from the image is changed: what the pod, a device plugin or NRI gave stays.
 * *ret_changed: there was something to change. ERR_PRECONDITION when nothing would be left to run.
 */
MUST_CHECK int process_variant_apply(const struct process_variant *v, json *spec, bool *ret_changed,
				     struct err *err);

/*
 * The user that the process has to run as, as CRI words it for the look-up in /etc/passwd: the
 * pod's, else the wanted variant's. The kubelet puts an image's user into its request, where it
 * looks like one that the pod asks for (kuberuntime/security_context.go); so what is the same as in
 * the node's own variant counts as the image's.
 */
#define PROCESS_USER_MAX 256
void process_variant_user(const struct process_variant *v, char ret[static PROCESS_USER_MAX]);

/* Appends a line for each thing that was decided before and cannot be changed any more. */
MUST_CHECK int process_variant_notes(const struct process_variant *v, struct buf *notes,
				     struct err *err);
