/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/arch/table.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/oci/json.h"

/*
 * A container's seccomp profile filters the emulator, a program of the node's architecture, and not
 * the guest it runs. A profile that was written for the guest must be widened by the calls that the
 * emulator itself needs, and by those that it makes on the node for calls of the guest. What these
 * are was measured on qemu 7.2, 10.0 and 11.1.
 */
struct seccomp_fit {
	bool must_adapt;     /* seccomp_adapt() would change the profile, or has something to say */
	const char *blocked; /* a call without which no emulator starts and that is not allowed */
	const char *denied;  /* the same after seccomp_adapt(): a rule of its own forbids it */
};

/* How an emulator for @guest would fare under @profile (NULL: no profile, nothing is filtered). */
void seccomp_judge(json *profile, const struct arch *host, const struct arch *guest,
		   struct seccomp_fit *ret);

/*
 * Changes @profile in place. What its author allowed under a guest's name is allowed under the
 * node's, with the same argument filter where the arguments are the same; what the emulator needs
 * and no rule mentions is allowed; clone3 answers ENOSYS rather than another error; a list of
 * foreign architectures becomes the node's. All other rules stay. @notes (NULL: not wanted) takes
 * one sentence a line: what exactly was added, then what could not be kept.
 */
MUST_CHECK int seccomp_adapt(json *profile, const struct arch *host, const struct arch *guest,
			     struct buf *notes, struct err *err);

/*
 * Builds the filter an engine would build, and writes it to @sink: what libseccomp does not take is
 * ERR_INVALID. Names it does not know are passed over, as the engines do.
 */
MUST_CHECK int seccomp_verify(json *profile, int sink, struct err *err);
