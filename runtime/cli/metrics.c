/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/metrics.h"

#include <stdlib.h>

#include "config.h"
#include "revision.h"
#include "runtime/base/outcomes.h"
#include "runtime/base/str.h"
#include "runtime/cli/rearm_count.h"
#include "runtime/cli/shims.h"

/* One metric: HELP and TYPE stand once, before its samples. */
static int head(struct buf *out, const char *name, const char *type, const char *help,
		struct err *err)
{
	return buf_printf(out, err, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Escapes of a label's value: backslash, quote and newline (Prometheus' exposition formats). */
static int label(struct buf *out, const char *before, const char *name, const char *value,
		 struct err *err)
{
	if (buf_printf(out, err, "%s%s=\"", before, name) < 0)
		return -1;
	for (const char *c = value; *c; c++) {
		const char *escaped = *c == '\\' ? "\\\\" : *c == '"' ? "\\\"" : NULL;

		if (*c == '\n')
			escaped = "\\n";
		if ((escaped ? buf_add(out, escaped, 2, err) : buf_add(out, c, 1, err)) < 0)
			return -1;
	}
	return buf_add(out, "\"", 1, err);
}

/* --- outcomes ------------------------------------------------------------------------------- */

struct counted {
	struct outcome_row *rows;
	size_t n;
};

static bool is_container(const char *verdict)
{
	return str_eq(verdict, OUTCOME_NATIVE) || str_eq(verdict, OUTCOME_EMULATED) ||
	       str_eq(verdict, OUTCOME_REFUSED) || str_eq(verdict, OUTCOME_UNKNOWN);
}

static bool is_crash(const char *verdict)
{
	return str_eq(verdict, OUTCOME_CRASHED);
}

static bool is_pull(const char *verdict)
{
	return str_eq(verdict, OUTCOME_PULLED) || str_eq(verdict, OUTCOME_NOT_PULLED);
}

/* Counters of one kind of outcome, with the labels that mean something there; all have a platform.
 */
struct family {
	const char *name, *help;
	bool (*has)(const char *verdict);
	bool verdict, result, code, runtime;
};

static const struct family families[] = {
	{ "crossarch_containers_total", "Containers created or refused, by what was found.",
	  is_container, .verdict = true, .code = true, .runtime = true },
	{ "crossarch_explained_exits_total", "Containers whose end was explained, by its cause.",
	  is_crash, .code = true },
	{ "crossarch_pulls_total", "Pulls of a platform that a pod chose, or of crossarch pull.",
	  is_pull, .result = true },
};

static int sample(struct buf *out, const struct family *f, const struct outcome_row *r,
		  struct err *err)
{
	const char *result = str_eq(r->verdict, OUTCOME_PULLED) ? "pulled" : "failed";

	if (buf_printf(out, err, "%s", f->name) < 0 ||
	    label(out, "{", "platform", r->platform, err) < 0 ||
	    (f->verdict && label(out, ",", "verdict", r->verdict, err) < 0) ||
	    (f->result && label(out, ",", "result", result, err) < 0) ||
	    (f->code && label(out, ",", "code", r->code, err) < 0) ||
	    (f->runtime && label(out, ",", "runtime", r->runtime, err) < 0))
		return -1;
	return buf_printf(out, err, "} %llu\n", (unsigned long long)r->count);
}

static int family(struct buf *out, const struct family *f, const struct counted *c, struct err *err)
{
	if (head(out, f->name, "counter", f->help, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if (f->has(c->rows[i].verdict) && sample(out, f, &c->rows[i], err) < 0)
			return -1;
	return 0;
}

/* What came when there was no room for one more kind. */
static int others(struct buf *out, const struct counted *c, struct err *err)
{
	static const char name[] = "crossarch_other_outcomes_total";
	uint64_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->rows[i].verdict, OUTCOMES_OTHER))
			n += c->rows[i].count;
	return head(out, name, "counter",
		    "Outcomes beyond the number of kinds that are told apart.", err) < 0 ||
			       buf_printf(out, err, "%s %llu\n", name, (unsigned long long)n) < 0
		       ? -1
		       : 0;
}

static int outcomes(struct buf *out, const char *file, struct err *err)
{
	CLEANUP_FREE struct outcome_row *rows = calloc(OUTCOMES_MAX + 1, sizeof(*rows));
	struct counted c = { .rows = rows };

	if (!rows)
		return err_set(err, ERR_NOMEM, "no memory for the counters");
	if (outcomes_read(file, rows, &c.n, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (family(out, &families[i], &c, err) < 0)
			return -1;
	return others(out, &c, err);
}

/* --- the node ------------------------------------------------------------------------------- */

static int build(struct buf *out, struct err *err)
{
	static const char name[] = "crossarch_build_info";

	if (head(out, name, "gauge", "The installed version; always 1.", err) < 0 ||
	    buf_printf(out, err, "%s", name) < 0 ||
	    label(out, "{", "version", CROSSARCH_VERSION, err) < 0 ||
	    label(out, ",", "revision", CROSSARCH_REVISION, err) < 0)
		return -1;
	return buf_printf(out, err, "} 1\n");
}

static int emulators(struct buf *out, const struct node *n, struct err *err)
{
	static const char name[] = "crossarch_emulator_enabled";

	if (head(out, name, "gauge",
		 "Handlers of binfmt_misc for other architectures; 0: registered but switched off.",
		 err) < 0)
		return -1;
	for (size_t i = 0; i < n->n; i++) {
		const struct emulator *e = &n->list[i];

		if (e->arch && (buf_printf(out, err, "%s", name) < 0 ||
				label(out, "{", "emulator", e->entry->name, err) < 0 ||
				label(out, ",", "architecture", arch_label(e->arch), err) < 0 ||
				buf_printf(out, err, "} %d\n",
					   e->entry->enabled && n->binfmt.state == BINFMT_ON) < 0))
			return -1;
	}
	return 0;
}

static int rearmed(struct buf *out, const char *file, struct err *err)
{
	static const char name[] = "crossarch_emulator_rearmed_total";
	struct rearmed_row rows[REARMED_MAX];
	size_t n;

	if (head(out, name, "counter", "Registrations of an emulator that had gone.", err) < 0 ||
	    rearmed_read(file, rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (buf_printf(out, err, "%s", name) < 0 ||
		    label(out, "{", "emulator", rows[i].name, err) < 0 ||
		    buf_printf(out, err, "} %llu\n", (unsigned long long)rows[i].count) < 0)
			return -1;
	return 0;
}

static int shims(struct buf *out, struct err *err)
{
	static const char number[] = "crossarch_shims", memory[] = "crossarch_shims_memory_bytes";
	struct shims s;

	shims_look(&s);
	if (head(out, number, "gauge", "Shims that run, one for each pod.", err) < 0 ||
	    buf_printf(out, err, "%s %llu\n", number, (unsigned long long)s.n) < 0 ||
	    head(out, memory, "gauge",
		 "Their memory together: private dirty pages, and the proportional set size.",
		 err) < 0)
		return -1;
	return buf_printf(out, err, "%s{kind=\"private_dirty\"} %llu\n%s{kind=\"pss\"} %llu\n",
			  memory, (unsigned long long)s.private_kb * 1024, memory,
			  (unsigned long long)s.proportional_kb * 1024);
}

int metrics_write(const struct node *n, const char *outcomes_file, const char *rearmed_file,
		  struct buf *out, struct err *err)
{
	if (build(out, err) < 0 || outcomes(out, outcomes_file, err) < 0 ||
	    emulators(out, n, err) < 0 || rearmed(out, rearmed_file, err) < 0)
		return -1;
	return shims(out, err);
}
