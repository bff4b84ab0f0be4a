/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/cli/ctrd.h"
#include "runtime/cli/ctrd_config.h"

/*
 * A handler of ours can be written in two ways: with our own runtime type, or with runc's type and
 * the path of our shim. Which one a containerd needs is decided by whom it asks for the features
 * without which a kubelet refuses hostUsers: false and recursiveReadOnly: Enabled.
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
void ctrd_form(const char *version, const char *shim, const struct ctrd_config *node,
	       struct ctrd_runtime *ret);

/*
 * What the handler @r, one of ours, cannot do on containerd @version, for a person; NULL when there
 * is nothing. Static storage.
 */
const char *ctrd_form_lacks(const struct ctrd_runtime *r, const char *version);

/*
 * Our shim: in the PATH of containerd, else beside this program. ERR_NOT_FOUND when it is in
 * neither, ERR_INVALID when its path cannot be written down in TOML.
 */
MUST_CHECK int ctrd_shim(const struct ctrd *c, char *ret, size_t size, struct err *err);
