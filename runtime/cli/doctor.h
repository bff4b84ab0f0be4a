/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/findings.h"

/* The examinations, in this order; the last one uses gRPC, after which nothing may fork. */
void doctor_emulators(struct findings *f);
void doctor_engines(struct findings *f, const char *socket); /* in the PATH of containerd */
void doctor_containerd(struct findings *f, const char *socket);
