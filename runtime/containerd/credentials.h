/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/err.h"

/*
 * What this node may show a registry: the files of the kubelet, read as it reads them (its
 * pkg/credentialprovider, config.go and keyring.go). Secrets of pods are in none of them, and its
 * credential plugins are not called.
 */
#define CREDENTIALS_MAX 16

struct credential {
	char *username, *password; /* one allocation, at username */
};

struct credentials {
	struct credential list[CREDENTIALS_MAX]; /* to be tried in this order */
	size_t n;
};

/* Overwrites what it frees. */
#define CLEANUP_CREDENTIALS CLEANUP(credentials_deinit)
void credentials_deinit(struct credentials *c);

/* Where the kubelet looks, ends with NULL: what of it exists first is used alone. */
const char *const *credentials_files(void);

/*
 * Those for @repository ("registry.example/team/app") from the first of @files that can be read as
 * one; a name that ends in "/.dockercfg" is of the old form. None is no error. ERR_INVALID when
 * none of those that exist is such a file.
 */
MUST_CHECK int credentials_read(const char *const *files, const char *repository,
				struct credentials *ret, struct err *err);

/* The same from the text of one file: "auths" of config.json, or with @old the whole of .dockercfg.
 */
MUST_CHECK int credentials_parse(const void *bytes, size_t n, bool old, const char *repository,
				 struct credentials *ret, struct err *err);
