/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/base/err.h"

/*
 * Digests, and the chain ID of a stack of layers: the name of the snapshot that holds them (OCI
 * image specification, "Layer ChainID"). A digest is "algorithm:hex".
 */
#define DIGEST_MAX 144 /* sha512 and a terminator fit */

/* True when @s has the form of a digest and fits; such a text is safe to print. */
bool digest_is_valid(const char *s);

/*
 * Puts the layer @diff_id on top of @chain: the first layer (@chain is "") is its own chain ID.
 * ERR_INVALID when @diff_id is no digest.
 */
MUST_CHECK int chain_add(char chain[static DIGEST_MAX], const char *diff_id, struct err *err);

/*
 * True when a snapshot made from @parent has the layers of @chain. For user namespaces containerd
 * 1.x keeps copies with other owners under "CHAIN-UID-GID" (its container_opts_unix.go).
 */
bool chain_matches(const char *chain, const char *parent);
