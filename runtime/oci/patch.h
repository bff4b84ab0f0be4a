/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/arch/table.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/oci/json.h"
#include "runtime/oci/settings.h"

/* The edits crossarch makes to a config.json; every other member stays what and where it is. */
struct patch {
	const char *qemu_cpu; /* NULL: none; otherwise added to process.env as QEMU_CPU */
	const struct settings_variable *variables; /* added to process.env */
	size_t n_variables;
	bool adapt_seccomp;		 /* translate linux.seccomp for an emulator */
	const struct arch *host, *guest; /* neither is NULL with adapt_seccomp */
	struct buf *notes;		 /* of seccomp_adapt(), NULL: not wanted */
};

/*
 * Changes @document in place. Variables that are set already stay. Applying the same patch twice
 * changes nothing the second time.
 */
MUST_CHECK int patch_apply(json *document, const struct patch *p, struct err *err);

/* The same for the process of an exec: the environment only. */
MUST_CHECK int patch_process_apply(json *process, const struct patch *p, struct err *err);

/* Whether @process gets a terminal. */
MUST_CHECK int patch_terminal(json *process, bool terminal, struct err *err);
