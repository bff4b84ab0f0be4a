/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "runtime/cli/why_record.h"
#include "runtime/oci/json.h"

/* What "why" prints of containers. */

void why_print(const struct why_record *w);

/* The caller's. */
json *why_json(const struct why_record *w);

/* One line that tells it from others: its pod, name and id. */
void why_print_name(FILE *to, const struct node_container *c, unsigned int indent);
