/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/cli.h"

/* One per cmd_*.c. */
extern const struct cli_command cmd_check;
extern const struct cli_command cmd_choose_platform;
extern const struct cli_command cmd_config;
extern const struct cli_command cmd_cpu_models;
extern const struct cli_command cmd_doctor;
extern const struct cli_command cmd_emulators;
extern const struct cli_command cmd_explain;
extern const struct cli_command cmd_image_platform;
extern const struct cli_command cmd_labels;
extern const struct cli_command cmd_metrics;
extern const struct cli_command cmd_pull;
extern const struct cli_command cmd_resolve;
extern const struct cli_command cmd_scan;
extern const struct cli_command cmd_why;
