/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "runtime/cli/why_record.h"

/*
 * Every container of @all that failed and that we have something to say of, newest first, at most
 * @max of them. The array is the caller's, and so is each record. ERR_NOMEM.
 */
MUST_CHECK int why_failed(struct node_containers *all, const struct container_judge *j, size_t max,
			  struct why_record **ret, size_t *ret_n, struct err *err);
