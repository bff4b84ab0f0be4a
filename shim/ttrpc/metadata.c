/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ttrpc/metadata.h"

#include "runtime/base/str.h"
#include "runtime/base/traceparent.h"

/* Of several the first one counts, as for containerd's own shim. */
const char *metadata_traceparent(const Crossarch__TtrpcRequest *r)
{
	struct trace ignored;

	for (size_t i = 0; i < r->n_metadata; i++) {
		const char *value = r->metadata[i]->value;

		if (str_eq(r->metadata[i]->key, TRACEPARENT_KEY))
			return traceparent_parse(value, &ignored) ? value : NULL;
	}
	return NULL;
}
