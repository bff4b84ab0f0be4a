/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/arch/table.h"
#include "runtime/base/err.h"
#include "runtime/host/probe.h"

/* What this node can run by itself. */
struct host {
	const struct arch *arch;
	enum host_can compat32; /* 32-bit programs of the same family */
	enum host_can x32;	/* x86-64 with 32-bit pointers */
	unsigned int x86_level; /* 1 to 4, 0 on other processors */
	uint64_t page_size;
	bool high_addresses; /* programs get memory above the 128 TiB that those of amd64 know */
};

/*
 * Asks the kernel and the processor. Must run before any seccomp filter of our own, because a
 * 32-bit system call is what tells whether the kernel has them. ERR_UNSUPPORTED on a machine that
 * is not in the table.
 */
MUST_CHECK int host_probe(struct host *ret, struct err *err);

/* Whether the kernel would run programs of @a without an emulator. */
enum host_can host_runs(const struct host *h, const struct arch *a);
