/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "runtime/image/kind.h"

/*
 * What kind of text a file is that the kernel cannot execute. Pure functions over the first bytes
 * of a file. The result only chooses words for a message, so a guess is enough; but a shell script
 * must not be taken for anything else.
 */

/* IMAGE_HTML, IMAGE_XML, IMAGE_JSON, IMAGE_LFS or IMAGE_ANSWER; IMAGE_TEXT for anything else. */
enum image_kind text_kind(const void *bytes, size_t n);

/* A language whose programs are texts. */
struct language {
	const char *words;   /* "a Python script" */
	const char *command; /* what runs it: "python3" */
};

/* The language of a text by its file's name and its first bytes, NULL when not known. */
const struct language *text_language(const char *name, const void *bytes, size_t n);
