/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct version {
	unsigned int major, minor, patch; /* all 0: not known */
};

/*
 * Looks for what qemu-user prints for --version ("qemu-aarch64 version 7.2.22") in @bytes. It is
 * one text in the program, so an emulator's age can be read without starting it.
 */
bool version_find(const void *bytes, size_t n, struct version *ret);

/* The same over the file @fd of @size bytes; files larger than any emulator are not looked at. */
bool version_of_file(int fd, uint64_t size, struct version *ret);
