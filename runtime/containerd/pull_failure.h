/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Why a pull failed. containerd tells it in words only, its codes are Unknown or NotFound for
 * nearly all of it; the words are those of containerd 1.6 to 2.3.
 */
enum pull_failure {
	PULL_DENIED,	  /* the registry wants credentials, or others */
	PULL_NO_PLATFORM, /* an index without what was asked for */
	PULL_NOT_FOUND,	  /* no such image */
	PULL_CORRUPT,	  /* what came is not what the digest says */
	PULL_DISK_FULL,
	PULL_LATER,	  /* the registry was overloaded, or the connection broke */
	PULL_UNREACHABLE, /* no answer from the registry */
	PULL_GONE,	  /* no answer from containerd */
	PULL_OTHER,
	PULL_FAILURE_N
};

enum pull_failure pull_failure_of(const char *text);

/* What to do about it, a sentence; "" for PULL_OTHER. */
const char *pull_failure_advice(enum pull_failure failure);
