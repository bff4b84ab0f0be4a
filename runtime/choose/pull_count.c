/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/pull_count.h"

#include "runtime/base/log.h"
#include "runtime/base/outcomes.h"

void pull_count(const struct image_found *image, bool pulled)
{
	const struct outcome o = { .verdict = pulled ? OUTCOME_PULLED : OUTCOME_NOT_PULLED,
				   .code = "",
				   .platform = image->chosen ? image->chosen->platform : "",
				   .runtime = "" };
	struct err err;

	if (outcome_count(OUTCOMES_DIR, OUTCOMES_NAME, &o, &err) < 0)
		log_write(LOG_DEBUG, LOG_NOTHING, LOG_FIELDS(.error = err.text),
			  "a pull is not counted");
}
