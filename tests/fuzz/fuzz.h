/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The one function of a harness, called once per input. The bytes are a heap block of exactly @n
 * bytes, so that the address sanitizer sees the first one read beyond them, and may be changed.
 */
void fuzz_one(uint8_t *bytes, size_t n);

/*
 * What libFuzzer and AFL++ (-fsanitize=fuzzer) call, and replay.c with the files of a corpus where
 * neither is installed. entry.c holds it, once for all harnesses.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
