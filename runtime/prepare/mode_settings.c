/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/confine.h"
#include "runtime/prepare/prepare.h"

/* Without a bundle: what the node's configuration and the runtime's options come to. */
int mode_settings(struct prepare *p, struct err *err)
{
	struct err no_engine;
	bool bad;

	if (load_request(p, err) < 0 || confine_calls(-1, -1, err) < 0)
		return -1;
	p->report.verdict = VERDICT_NATIVE;
	/* An engine is only needed, and a missing one only reported, when a container is made. */
	if (load_settings(p, &bad, &no_engine) < 0)
		p->report.engine[0] = '\0';
	return 0;
}
