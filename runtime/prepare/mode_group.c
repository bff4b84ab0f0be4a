/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/str.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/prepare.h"

/* The first one that is there names the group: runc's own key, then the pod. */
static const char *const group_keys[] = {
	"io.containerd.runc.v2.group",
	"io.kubernetes.cri.sandbox-id",
};

static void find_group(const struct spec *s, struct report *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(group_keys) && !r->group[0]; i++) {
		const char *value = spec_annotation(s, group_keys[i]);

		if (value && !str_copy(r->group, sizeof(r->group), value))
			r->group[0] = '\0';
	}
}

int mode_group(struct prepare *p, struct err *err)
{
	struct err no_engine;
	bool bad;

	if (load_request(p, err) < 0 || confine_calls(-1, -1, err) < 0)
		return -1;
	/* -info asks about the engine alone. */
	if (p->has_bundle && load_spec(p, err) < 0)
		return -1;
	p->report.verdict = VERDICT_NATIVE;
	if (p->has_bundle)
		find_group(&p->spec, &p->report);
	/* An engine is only needed, and a missing one only reported, when a container is made. */
	if (load_settings(p, &bad, &no_engine) < 0)
		p->report.engine[0] = '\0';
	return 0;
}
