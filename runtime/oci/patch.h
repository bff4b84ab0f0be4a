/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/oci/json.h"

/* The edits crossarch makes to a config.json; every other member stays what and where it is. */
struct patch {
	const char *qemu_cpu; /* NULL: none; otherwise added to process.env as QEMU_CPU */
	bool adapt_seccomp;   /* translate linux.seccomp for an emulator */
	const struct arch *host;
};

/* Changes @document in place. Applying the same patch twice changes nothing the second time. */
MUST_CHECK int patch_apply(json *document, const struct patch *p, struct err *err);
