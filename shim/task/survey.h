/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/service.h"

/*
 * What the shim is busy with, a line each in containerd's log: containers, execs, and for
 * everything in flight the processes that are waited for. For an operator whose pod hangs (SIGUSR1,
 * with which the stock shim prints its stacks: shim-protocol 2).
 */
void survey_log(const struct service *s);
