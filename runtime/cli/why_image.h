/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/image_check.h"
#include "runtime/cli/node_containers.h"

/*
 * The namespace to look for the image @name in: the kubelet's if it is there or nowhere, else the
 * first of containerd's that has it.
 */
const char *why_image_space(const struct node_containers *all, const char *name);

/*
 * What "why" says of an image: all its platforms, and of an index that a pull would find nothing in
 * the ways out. The words of the failed pull are containerd's.
 */
void why_image_print(const struct image_answer *a, const char *space);

/* As image_answer_json(), with "namespace", "code" and "remedies"; the caller's. */
json *why_image_json(const struct image_answer *a, const char *space);
