/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/oci/json.h"

struct spec_hooks {
	bool poststop; /* some run after the container's end */
	/*
	 * Some run before its process does and may change any file; runc also runs those called
	 * poststart before it. Hooks that are known to set up the network only do not count: those
	 * of docker (libnetwork-setkey, libnetwork/osl) and of nerdctl (pkg/ocihook) stand in every
	 * container of theirs.
	 */
	bool change_files;
};

/* "hooks" of the configuration @document. ERR_INVALID for members of wrong types. */
MUST_CHECK int spec_hooks_read(json *document, struct arena *arena, struct spec_hooks *ret,
			       struct err *err);
