/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The one function of a harness. libFuzzer and AFL++ (clang -fsanitize=fuzzer) call it; replay.c
 * calls it with the files of a corpus where neither is installed.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
