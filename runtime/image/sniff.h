/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/image/kind.h"

/*
 * The kind of a file of @size bytes that starts with @bytes, judged without program headers: never
 * IMAGE_CUT for a file whose ELF header is whole.
 */
enum image_kind sniff(const void *bytes, size_t n, uint64_t size);

/* The kind of an ELF file of this e_type. */
enum image_kind sniff_type(uint16_t type);

/* The kind in words that follow "is": "a macOS program". Static storage. */
const char *sniff_words(enum image_kind kind);
