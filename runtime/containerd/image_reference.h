/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/base/err.h"
#include "runtime/containerd/chain_id.h"

/*
 * The name of an image as people write it, read as containerd and the kubelet read it
 * (github.com/distribution/reference): "python:3.12" is docker.io/library/python:3.12.
 */
#define REPOSITORY_MAX 256
#define TAG_MAX 129
#define REFERENCE_MAX (REPOSITORY_MAX + TAG_MAX + DIGEST_MAX)

struct image_reference {
	char repository[REPOSITORY_MAX]; /* whole: docker.io/library/python */
	char written[REPOSITORY_MAX];	 /* as it was written: python */
	char tag[TAG_MAX];	 /* "latest" where nothing is said; "" with a digest alone */
	char digest[DIGEST_MAX]; /* "" without one; it counts more than the tag */
};

/* ERR_INVALID for what is none, among them a bare digest. */
MUST_CHECK int image_reference_parse(const char *text, struct image_reference *ret,
				     struct err *err);

/* What containerd calls the image: REPOSITORY@DIGEST, or REPOSITORY:TAG. */
void image_reference_format(const struct image_reference *r, char text[static REFERENCE_MAX]);
