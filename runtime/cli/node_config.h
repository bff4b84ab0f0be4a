/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/arch/platform.h"

/*
 * The configuration file that the containerd behind @socket hands to the shim: pods are judged by
 * it, and so is what "check" and the like look at. A handler for @wanted (NULL: nothing is) serves
 * pods that ask for that platform, if it is there. Into @place of @size bytes, which is returned;
 * NULL where containerd does not tell: then the default stays. Starts programs, so it comes before
 * the first gRPC call.
 */
const char *node_config_find(const char *socket, const struct platform *wanted, char *place,
			     size_t size);
