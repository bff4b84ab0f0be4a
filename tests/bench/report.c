/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/report.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/str.h"

/* The figures of the table, in its order, with their goals. */
static const struct figure figures[] = {
	{ "private_dirty", "private dirty memory, 1 pod", "KB", MEDIAN, .limit = 256,
	  .plotted = true },
	{ "rss", "RSS, 1 pod", "KB", MEDIAN, .limit = 2048, .plotted = true },
	{ "threads", "threads", "", MEDIAN, .limit = 1 },
	{ "pods_pss", "sum of PSS, many pods", "KB", MEDIAN, .ratio_runc = 1.0 / 12,
	  .plotted = true },
	{ "start", "start to address printed", "ms", MEDIAN, .limit = 3, .ratio_runc = 1.0 / 8,
	  .ratio_crun = 1.0 / 8, .plotted = true },
	{ "cycle", "create+start+wait+delete of true", "ms", MEDIAN, .ratio_runc = 0.75,
	  .ratio_crun = 0.65, .plotted = true },
	{ "cycle", "  the same minus the engine", "ms", LESS_ENGINE, .limit = 8 },
	{ "direct", "  without containerd, minus engine", "ms", LESS_ENGINE, .limit = 8 },
	{ "parallel", "16 at once", "1/s", MEDIAN, .more_is_better = true, .ratio_runc = 1.4,
	  .ratio_crun = 1.4, .plotted = true },
	{ "exec", "exec of true", "ms", MEDIAN, .ratio_runc = 0.85, .ratio_crun = 0.85,
	  .plotted = true },
	{ "pod", "a pod of one container and back", "ms", MEDIAN, .ratio_runc = 0.6,
	  .ratio_crun = 0.6, .plotted = true },
	{ "pod_up", "  until it runs", "ms", MEDIAN, .limit = 0 },
	{ "pauseless", "the same without pause container", "ms", MEDIAN, .ratio_runc = 0.45,
	  .ratio_crun = 0.45, .plotted = true },
	{ "pauseless_up", "  until it runs", "ms", MEDIAN, .limit = 0 },
	{ "prepare", "the check: prepare", "ms", MEDIAN, .limit = 2 },
	{ "platform", "the check: image-platform", "ms", MEDIAN, .limit = 5 },
	{ "direct_create", "  Create minus the engine's", "ms", LESS_ENGINE, .limit = 4 },
	{ "output_cpu", "1 GiB of output: CPU of the shim", "ms", MEDIAN, .ratio_runc = 0.5,
	  .plotted = true },
	{ "output_rate", "1 GiB of output: throughput", "MiB/s", MEDIAN, .more_is_better = true,
	  .ratio_runc = 1 },
	{ "containers_time", "one shim growing: start, last/first", "", FLAT_TIME, .limit = 1.1 },
	{ "containers_memory", "one shim growing: memory, last/2nd", "", FLAT_USE, .limit = 1.1 },
	{ "containers_cpu", "one shim growing: CPU, last/2nd", "", FLAT_USE, .limit = 1.1 },
	{ "pods_time", "node growing: start, last/first", "", FLAT_TIME, .limit = 1.1 },
	{ "pods_memory", "node growing: memory, last/2nd", "", FLAT_USE, .limit = 1.1 },
	{ "pods_cpu", "node growing: CPU, last/2nd", "", FLAT_USE, .limit = 1.1 },
	{ "cold", "first container, page cache dropped", "ms", MEDIAN, .limit = 0 },
};

/* --- reading ------------------------------------------------------------------------------- */

struct data {
	struct series *series;
	size_t n;
};

static bool take_text(struct json_object *o, const char *key, char *ret, size_t size)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) &&
	       str_copy(ret, size, json_object_get_string(value));
}

static bool take_series(struct data *d, const char *line)
{
	struct json_object *o = json_tokener_parse(line), *list;
	struct series *s;
	bool ok;

	d->series = reallocarray(d->series, d->n + 1, sizeof(*d->series));
	ASSERT(d->series);
	s = &d->series[d->n++];
	*s = (struct series){ .samples = { .v = NULL } };
	ok = take_text(o, "figure", s->figure, sizeof(s->figure)) &&
	     take_text(o, "containerd", s->containerd, sizeof(s->containerd)) &&
	     take_text(o, "engine", s->engine, sizeof(s->engine)) &&
	     take_text(o, "series", s->name, sizeof(s->name)) &&
	     json_object_object_get_ex(o, "samples", &list);
	for (size_t i = 0; ok && i < json_object_array_length(list); i++)
		samples_add(&s->samples,
			    json_object_get_double(json_object_array_get_idx(list, i)));
	json_object_put(o);
	return ok;
}

static bool read_series(struct data *d)
{
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		if (!take_series(d, line))
			return false;
	return true;
}

static struct series *find(const struct data *d, const struct series *like, const char *name)
{
	for (size_t i = 0; i < d->n; i++) {
		struct series *s = &d->series[i];

		if (str_eq(s->figure, like->figure) && str_eq(s->containerd, like->containerd) &&
		    str_eq(s->engine, like->engine) && str_eq(s->name, name))
			return s;
	}
	return NULL;
}

/* --- numbers ------------------------------------------------------------------------------- */

static double median_of(const double *v, size_t n)
{
	struct samples CLEANUP_SAMPLES copy = { .v = NULL };

	for (size_t i = 0; i < n; i++)
		samples_add(&copy, v[i]);
	return samples_rank(&copy, 50);
}

static double flat_time(const struct samples *s)
{
	size_t quarter = s->n / 4;
	double first = median_of(s->v, quarter);

	return first > 0 ? median_of(s->v + s->n - quarter, quarter) / first : 0;
}

static double flat_use(const struct samples *s)
{
	if (s->n < 4 || s->v[1] <= s->v[0])
		return 0;
	return (s->v[3] - s->v[2]) / (s->v[1] - s->v[0]);
}

/* The value of one shim's series for the row, and its p99 where that has a meaning. */
static double value_of(const struct data *d, const struct figure *f, struct series *s,
		       double *ret_p99)
{
	struct series *engine;

	*ret_p99 = 0;
	switch (f->kind) {
	case FLAT_TIME:
		return flat_time(&s->samples);
	case FLAT_USE:
		return flat_use(&s->samples);
	case LESS_ENGINE:
		engine = find(d, s, "engine");
		return samples_rank(&s->samples, 50) -
		       (engine ? samples_rank(&engine->samples, 50) : 0);
	case MEDIAN:
		break;
	}
	/* For a rate the bad end is the low one. */
	if (s->samples.n > 1)
		*ret_p99 = samples_rank(&s->samples, f->more_is_better ? 1 : 99);
	return samples_rank(&s->samples, 50);
}

static void judge(struct row *r)
{
	const struct figure *f = r->figure;
	double wanted = str_eq(r->engine, "crun") ? f->ratio_crun : f->ratio_runc;
	bool ok = true;

	if (f->limit > 0) {
		str_fmt(r->goal, sizeof(r->goal), "<= %g %s", f->limit, f->unit);
		ok = r->ours <= f->limit;
	}
	if (wanted > 0) {
		size_t used = strlen(r->goal);

		str_fmt(r->goal + used, sizeof(r->goal) - used, "%s%s %.3gx", used ? ", " : "",
			f->more_is_better ? ">=" : "<=", wanted);
		ok = ok && r->ratio > 0 &&
		     (f->more_is_better ? r->ratio >= wanted : r->ratio <= wanted);
	}
	if (*r->goal)
		r->outcome = ok ? MET : MISSED;
}

static struct row make_row(const struct data *d, const struct figure *f, struct series *ours)
{
	struct series *stock = find(d, ours, "stock");
	struct row r = { .figure = f,
			 .containerd = ours->containerd,
			 .engine = ours->engine,
			 .n = ours->samples.n };

	r.ours = value_of(d, f, ours, &r.ours_p99);
	if (stock)
		r.stock = value_of(d, f, stock, &r.stock_p99);
	if (r.stock > 0)
		r.ratio = r.ours / r.stock;
	judge(&r);
	return r;
}

static size_t make_rows(const struct data *d, struct row *rows)
{
	size_t n = 0;

	/* Sorting samples for a median would destroy their order: the flat figures go first. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t f = 0; f < ARRAY_SIZE(figures); f++) {
			bool flat = figures[f].kind == FLAT_TIME || figures[f].kind == FLAT_USE;

			for (size_t i = 0; flat == (pass == 0) && i < d->n; i++)
				if (str_eq(d->series[i].figure, figures[f].key) &&
				    str_eq(d->series[i].name, "ours"))
					rows[n++] = make_row(d, &figures[f], &d->series[i]);
		}
	return n;
}

static int in_order(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->figure != y->figure)
		return x->figure < y->figure ? -1 : 1;
	return str_eq(x->engine, y->engine) ? strcmp(x->containerd, y->containerd)
					    : strcmp(y->engine, x->engine);
}

/* --- writing ------------------------------------------------------------------------------- */

static const char *const outcome_name[] = { "", "met", "MISSED" };

static void number(char *ret, size_t size, double value)
{
	if (value == 0)
		str_copy(ret, size, "-");
	else
		str_fmt(ret, size, fabs(value) < 100 ? "%.2f" : "%.0f", value);
}

void report_table(const struct row *rows, size_t n, FILE *out)
{
	const struct figure *before = NULL;

	fprintf(out, "%-36s %-6s %-6s %-6s %9s %9s %9s %9s %6s  %-18s\n", "figure", "unit", "ctrd",
		"engine", "stock", "p99", "ours", "p99", "ratio", "goal");
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		char v[5][24];

		number(v[0], sizeof(v[0]), r->stock);
		number(v[1], sizeof(v[1]), r->stock_p99);
		number(v[2], sizeof(v[2]), r->ours);
		number(v[3], sizeof(v[3]), r->ours_p99);
		if (r->ratio > 0)
			str_fmt(v[4], sizeof(v[4]), "%.3f", r->ratio);
		else
			str_copy(v[4], sizeof(v[4]), "-");
		fprintf(out, "%-36s %-6s %-6.6s %-6s %9s %9s %9s %9s %6s  %-18s %s\n",
			r->figure == before ? "" : r->figure->label, r->figure->unit, r->containerd,
			*r->engine ? r->engine : "-", v[0], v[1], v[2], v[3], v[4], r->goal,
			outcome_name[r->outcome]);
		before = r->figure;
	}
}

static void add_number(struct json_object *o, const char *key, double value)
{
	char text[32];

	if (value == 0)
		return;
	str_fmt(text, sizeof(text), "%.5g", value);
	json_object_object_add(o, key, json_object_new_double_s(value, text));
}

static struct json_object *row_json(const struct row *r)
{
	struct json_object *o = json_object_new_object();
	const char *label = r->figure->label + strspn(r->figure->label, " ");

	json_object_object_add(o, "figure", json_object_new_string(label));
	json_object_object_add(o, "unit", json_object_new_string(r->figure->unit));
	json_object_object_add(o, "containerd", json_object_new_string(r->containerd));
	if (*r->engine)
		json_object_object_add(o, "engine", json_object_new_string(r->engine));
	json_object_object_add(o, "n", json_object_new_int64((int64_t)r->n));
	add_number(o, "stock", r->stock);
	add_number(o, "stock_p99", r->stock_p99);
	add_number(o, "ours", r->ours);
	add_number(o, "ours_p99", r->ours_p99);
	add_number(o, "ratio", r->ratio);
	if (*r->goal) {
		json_object_object_add(o, "goal", json_object_new_string(r->goal));
		json_object_object_add(o, "met", json_object_new_boolean(r->outcome == MET));
	}
	return o;
}

int report_json(const struct row *rows, size_t n, const char *path)
{
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	time_t now = time(NULL);
	struct utsname host;
	char date[32];
	int rc;

	uname(&host);
	strftime(date, sizeof(date), "%Y-%m-%d", gmtime(&now));
	json_object_object_add(root, "date", json_object_new_string(date));
	json_object_object_add(root, "kernel", json_object_new_string(host.release));
	json_object_object_add(root, "machine", json_object_new_string(host.machine));
	json_object_object_add(root, "processors",
			       json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, row_json(&rows[i]));
	json_object_object_add(root, "figures", list);
	rc = json_object_to_file_ext(path, root,
				     JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	json_object_put(root);
	return rc;
}

int report_main(int argc, char **argv)
{
	struct data d = { .series = NULL };
	CLEANUP_FREE struct row *rows = NULL;
	CLEANUP_FILE FILE *table = NULL;
	size_t n;

	if (argc != 4 || !read_series(&d)) {
		fputs(argc != 4 ? "usage: bench report TABLE JSON SVG <SERIES\n"
				: "bench: standard input is not what the commands print\n",
		      stderr);
		return 2;
	}
	rows = calloc(d.n * ARRAY_SIZE(figures) + 1, sizeof(*rows));
	ASSERT(rows);
	n = make_rows(&d, rows);
	qsort(rows, n, sizeof(*rows), in_order);
	report_table(rows, n, stdout);
	table = fopen(argv[1], "w");
	if (table)
		report_table(rows, n, table);
	for (size_t i = 0; i < d.n; i++)
		samples_deinit(&d.series[i].samples);
	if (!table || report_json(rows, n, argv[2]) < 0 || !plot(rows, n, argv[3])) {
		fputs("bench: the report could not be written\n", stderr);
		return 1;
	}
	return 0;
}
