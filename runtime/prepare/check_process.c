/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/str.h"
#include "runtime/plan/diagnosis.h"
#include "runtime/prepare/declared_platform.h"
#include "runtime/prepare/prepare.h"

/* Annotations by which crun gives a container to WebAssembly or a virtual machine. */
static bool engine_runs_it(const struct spec *s)
{
	return s->document && (spec_annotation(s, "run.oci.handler") ||
			       spec_annotation(s, "module.wasm.image/variant"));
}

/* True when the image's platform came and the plan was made anew. */
static bool plan_with_platform(struct prepare *p, struct facts *f, struct plan *ret)
{
	declared_read(FD_PLATFORM, p->started_ns + PLATFORM_WAIT_NS, &f->declared);
	if (!platform_known(&f->declared))
		return false;
	plan_make(f, ret);
	return true;
}

/* With the emulator where its name does not say which it is: "crossarch-amd64 (box64)". */
static void fill_handler(struct report *r, const struct facts *f, const struct plan *p)
{
	(void)str_copy(r->handler, sizeof(r->handler), p->handler->name);
	if (facts_other_emulator(f))
		(void)str_fmt(r->handler, sizeof(r->handler), "%.40s (%s)", p->handler->name,
			      emulator_kind_of(p->handler)->label);
}

static void fill_report(struct report *r, const struct facts *f, const struct plan *p)
{
	char line[DIAGNOSIS_MAX + 1];
	size_t rows;

	r->verdict = p->verdict;
	r->n_warnings = 0;
	diagnosis_program(f, r->program, sizeof(r->program));
	if (p->guest)
		diagnosis_platform(p->guest, r->guest, sizeof(r->guest));
	if (p->verdict == VERDICT_REFUSE) {
		diagnosis_line(f, p, p->cause, line);
		(void)str_copy(r->code, sizeof(r->code), cause_row(p->cause)->code);
		(void)str_copy(r->line, sizeof(r->line), line);
	}
	r->flags &= ~(uint32_t)(REPORT_EDIT | REPORT_PRIVATE);
	r->guest_row = UINT32_MAX;
	if (p->verdict == VERDICT_EMULATE) {
		r->guest_row = p->guest ? (uint32_t)(p->guest - arch_rows(&rows)) : UINT32_MAX;
		r->flags |=
			*p->cpu || p->adapt_seccomp || f->settings->n_variables ? REPORT_EDIT : 0;
		r->flags |= p->handler->pending ? REPORT_PRIVATE : 0;
		fill_handler(r, f, p);
		(void)str_copy(r->cpu, sizeof(r->cpu), p->cpu);
	}
	r->program_level = p->program_level;
	r->image_level = p->image_level;
	for (size_t i = 0; i < p->n_warnings; i++) {
		diagnosis_line(f, p, p->warnings[i], line);
		(void)str_copy(r->warnings[r->n_warnings++], sizeof(r->warnings[0]), line);
	}
}

int check_gather(struct prepare *p, const struct spec_process *process, enum facts_purpose purpose,
		 struct facts *ret, struct err *err)
{
	struct inspect in = {
		.view = &p->view,
		.process = process,
		.emulators = &p->emulators,
		.spec = p->view.n ? NULL : &p->spec,
		.levels = p->levels,
		.arena = &p->arena,
	};

	*ret = (struct facts){
		.purpose = purpose,
		.host = &p->host,
		.binfmt = &p->binfmt,
		.settings = &p->settings,
		.engine_runs_it = engine_runs_it(&p->spec),
		.hooks_before = purpose != FOR_EXEC && p->spec.hooks.change_files,
		.own_binfmt = p->own_binfmt,
		.private_offered = p->private_offered,
		.private_bar = private_bar(p),
		.memory_max = p->spec.memory_max,
		.no_new_privileges = process->no_new_privileges,
	};
	if (*p->request.declared)
		declared_parse(p->request.declared, &ret->declared);
	if (inspect_program(&in, ret, err) < 0)
		return -1;
	if (ret->handler && facts_guest(ret))
		seccomp_judge(p->spec.seccomp, p->host.arch, facts_guest(ret), &ret->seccomp);
	return 0;
}

int check_process(struct prepare *p, const struct spec_process *process, enum facts_purpose purpose,
		  struct facts *ret_facts, struct plan *ret, struct err *err)
{
	if (check_gather(p, process, purpose, ret_facts, err) < 0)
		return -1;
	plan_make(ret_facts, ret);
	if (ret->verdict == VERDICT_REFUSE && p->has_platform)
		(void)plan_with_platform(p, ret_facts, ret);
	fill_report(&p->report, ret_facts, ret);
	return 0;
}

int check_declared(struct prepare *p, struct facts *f, struct plan *plan, struct err *err)
{
	int rc;

	if (plan->verdict == VERDICT_REFUSE || !p->has_platform)
		return 0;
	p->report.flags |= REPORT_MORE;
	rc = report_write(FD_REPORT, &p->report, err);
	p->report.flags &= ~(uint32_t)REPORT_MORE;
	if (rc == 0 && plan_with_platform(p, f, plan))
		fill_report(&p->report, f, plan);
	return rc;
}
