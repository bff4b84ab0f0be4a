/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/html_writer.h"

/* The style sheet; it has no character that XML would want escaped. */
void page_style(struct html *h);
