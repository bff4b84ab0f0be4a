/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/prepare/mount_options.h"

/* Mounts an overlay whose options may exceed the page mount(2) passes, on the path @target. */
MUST_CHECK int mount_overlay(const char *target, const struct mount_options *o, struct err *err);

/* Reading the options of an overlay. */

/*
 * Length of the first item of the @n bytes at @p, up to @separator; a backslash keeps the character
 * behind it.
 */
size_t overlay_item(const char *p, size_t n, char separator);

/* The value of lowerdir in @data and its length, a list with colons; NULL without one. */
const char *overlay_lower(const char *data, size_t *ret_n);
