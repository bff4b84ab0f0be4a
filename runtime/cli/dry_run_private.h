/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/prepare/report.h"

/*
 * @r says that the container of @config will get emulators of its own: tries to register them in a
 * user namespace like its own, by the prepare that is @program (dry_run_ask.h). @r becomes the
 * refusal that Create would end with, or gets a warning when it could not be tried.
 */
void dry_run_private(const char *program, const char *config, struct report *r);
