/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"
#include "runtime/cli/tar_reader.h"
#include "runtime/cli/temporary.h"

/*
 * Layers of an image, one on top of the other, as a tree of files to be looked into and not run: of
 * large files that are neither programs nor scripts only the beginning is there, with the right
 * size; devices are left out, and all belongs to us. For the confined process (confined.h); nothing
 * leads out of the directory @root, whatever names and links the layers have.
 */

/* The layer's whiteouts: what of the layers below it takes away. */
MUST_CHECK int layer_remove(int root, struct tar_reader *layer, struct err *err);

/* What it brings, at most what there is @room for. After layer_remove() of the same layer. */
MUST_CHECK int layer_add(int root, struct tar_reader *layer, struct room *room, struct err *err);
