/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/base/err.h"

/*
 * Whether a program named criu is in one of the directories of @path, a list as in PATH; NULL is an
 * empty one. runc and crun look for it by that name in the PATH that they have of us, and we of
 * containerd (runc: go-criu, main.go, SetCriuPath(); crun: libcriu, criu_set_service_binary()).
 * ERR_UNSUPPORTED with what to do when there is none.
 */
MUST_CHECK int criu_find(const char *path, struct err *err);
