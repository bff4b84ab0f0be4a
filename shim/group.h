/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/arena.h"
#include "runtime/base/err.h"

/*
 * The key that the containers of one shim share: an annotation of config.json, as in containerd's
 * own shim (cmd/containerd-shim-runc-v2/manager/manager_linux.go, groupLabels):
 * io.containerd.runc.v2.group or else io.kubernetes.cri.sandbox-id; or what CRI-O writes in the
 * place of the latter, io.kubernetes.cri-o.SandboxID. The key is compared and hashed but never
 * shown, so JSON's escapes stay in it.
 *
 * Nothing else is read from config.json here. Whether the file is valid is for crossarch-prepare to
 * say, which reads it again at Create.
 */

/* From config.json below @dirfd, which the sandbox of a pod without a pause container has not.
 * @ret, "" without any of them, lives in @arena. */
MUST_CHECK int group_read(int dirfd, struct arena *arena, const char **ret, struct err *err);

/*
 * The same from the text of a config.json. @ret points at @ret_n bytes inside @text; @ret_n is 0
 * without either annotation. ERR_INVALID when the text, as far as it had to be read, is no object.
 */
MUST_CHECK int group_find(const char *text, const char **ret, size_t *ret_n, struct err *err);
