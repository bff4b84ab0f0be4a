/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

enum host_can { HOST_UNKNOWN, HOST_YES, HOST_NO };

/* Questions to the processor and kernel this program was compiled for. */
enum host_can probe_compat32(void);
enum host_can probe_x32(void);
unsigned int probe_x86_level(void);
bool probe_high_addresses(void);
