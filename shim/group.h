/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/*
 * The key that the containers of one shim share (shim-protocol 2): an annotation of config.json,
 * io.containerd.runc.v2.group or else io.kubernetes.cri.sandbox-id. It is compared and hashed, and
 * never shown, so JSON's escapes stay in it.
 *
 * Nothing else is read from config.json here: whether it is right is for crossarch-prepare to say,
 * which reads it again for Create.
 */

/* From config.json below @dirfd. @ret, "" without either annotation, lives in @arena. */
MUST_CHECK int group_read(int dirfd, struct arena *arena, const char **ret, struct err *err);

/*
 * The same from the text of a config.json. @ret_n bytes at @ret inside @text, none without either
 * annotation. ERR_INVALID when the text is not an object as far as it had to be read.
 */
MUST_CHECK int group_find(const char *text, const char **ret, size_t *ret_n, struct err *err);
