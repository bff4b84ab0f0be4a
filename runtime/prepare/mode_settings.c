/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/prepare/confine.h"
#include "runtime/prepare/prepare.h"

/* Without a bundle: what the node's configuration and the runtime's options come to. */
int mode_settings(struct prepare *p, struct err *err)
{
	struct err no_engine;
	bool bad;

	if (load_request(p, err) < 0 || load_settings_file(p, &bad, err) < 0)
		return -1;
	if (bad)
		return 0;
	if (confine_calls(-1, -1, err) < 0)
		return -1;
	load_settings(p, &bad);
	if (bad)
		return 0;
	p->report.verdict = VERDICT_NATIVE;
	/* An engine is only needed, and a missing one only reported, when a container is made. */
	(void)!load_engine(p, &no_engine);
	return 0;
}
