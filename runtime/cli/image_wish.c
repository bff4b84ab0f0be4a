/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/image_wish.h"

#include <string.h>

#include "runtime/base/arena.h"
#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/choose/can_run.h"
#include "runtime/cli/dry_run.h"
#include "runtime/containerd/image_choice.h"
#include "runtime/containerd/image_reference.h"
#include "runtime/oci/json.h"
#include "runtime/plan/choice_line.h"
#include "runtime/prepare/configure.h"

/* --- the two images --------------------------------------------------------------------------- */

/* The document @digest, or NULL; the caller's. */
static json *read_document(struct image_store *store, const char *digest)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);
	struct err ignored;
	json *ret = NULL;

	if (store->blob(store, digest, &blob, &ignored) < 0 ||
	    json_parse(blob.data, blob.len, "image", &ret, &ignored) < 0)
		return NULL;
	return ret;
}

/* The size of all layers, which an image's author wrote: what is no size counts for nothing. */
static uint64_t size_of(struct image_store *store, const struct image_member *m)
{
	CLEANUP_JSON json *manifest = read_document(store, m->manifest);
	struct err ignored;
	json *layers = NULL;
	uint64_t sum = 0;

	if (!manifest || json_typed(manifest, "layers", json_type_array, &layers, &ignored) < 0 ||
	    !layers)
		return 0;
	for (size_t i = 0; i < json_object_array_length(layers); i++) {
		json *layer = json_object_array_get_idx(layers, i), *size = NULL;

		if (json_object_is_type(layer, json_type_object) &&
		    json_typed(layer, "size", json_type_int, &size, &ignored) == 0 && size &&
		    json_object_get_int64(size) > 0)
			sum += (uint64_t)json_object_get_int64(size);
	}
	return sum;
}

/* An empty member says as much as none. */
static bool is_empty(json *j)
{
	if (json_object_is_type(j, json_type_array))
		return json_object_array_length(j) == 0;
	if (json_object_is_type(j, json_type_object))
		return json_object_object_length(j) == 0;
	return !j || !*json_object_get_string(j);
}

static void compare(struct image_store *store, struct image_wish *w)
{
	static const char *const keys[] = { "Entrypoint", "Cmd",     "Env",	  "WorkingDir",
					    "User",	  "Volumes", "StopSignal" };
	CLEANUP_JSON json *own = read_document(store, w->own->ref);
	CLEANUP_JSON json *chosen = read_document(store, w->chosen->ref);

	for (size_t i = 0; own && chosen && i < ARRAY_SIZE(keys); i++) {
		json *a = json_member(json_member(own, "config"), keys[i]);
		json *b = json_member(json_member(chosen, "config"), keys[i]);
		size_t n = strlen(w->differs);

		if (json_object_equal(a, b) || (is_empty(a) && is_empty(b)))
			continue;
		(void)str_fmt(w->differs + n, sizeof(w->differs) - n, "%s%s", n ? ", " : "",
			      keys[i]);
		w->differs_in_user |= str_eq(keys[i], "User");
	}
}

/* --- what the node says ----------------------------------------------------------------------- */

static void refuse(const struct image_question *q, enum cause cause, const struct settings *s,
		   struct image_wish *w)
{
	char all[500], reference[REFERENCE_MAX] = "";
	struct choice_facts f = {
		.wanted = *q->wanted,
		.image = q->name,
		.has = all,
		.settings = q->config_path,
		.total = w->bytes,
		.max_mb = s->pull_max_mb,
	};
	struct image_reference name;
	struct err ignored;

	image_choice_text(q->members, all, sizeof(all));
	if (w->chosen && image_reference_parse(q->name, &name, &ignored) == 0) {
		(void)str_copy(name.digest, sizeof(name.digest), w->chosen->manifest);
		image_reference_format(&name, reference);
		f.reference = reference;
	}
	w->code = cause_choice_row(cause)->code;
	choice_line(cause, &f, w->line);
}

static bool read_settings(const char *path, struct settings *ret, struct image_wish *w)
{
	struct prepare_request request = { .config_path = path ? path : "" };
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);
	struct complaint bad = { "", "", "" };

	if (configure_file(&request, &text, &bad) == CONFIGURED) {
		request.settings = buf_str(&text);
		if (configure(&request, NULL, ret, &bad) == CONFIGURED)
			return true;
	}
	w->code = cause_row(CAUSE_CONFIG)->code;
	diagnosis_config(&bad, w->line);
	return false;
}

/* As CRI makes it of the node's own variant, whose program is the one that is named. */
static int read_spec(const struct image_question *q, const struct image_wish *w,
		     struct arena *arena, json **ret_document, struct spec *ret, struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);

	if (q->store->blob(q->store, w->own->ref, &blob, err) < 0 ||
	    spec_of_image(blob.data, blob.len, q->args, ret_document, err) < 0)
		return -1;
	return spec_read(*ret_document, arena, ret, err);
}

/* False where it is certain that the node cannot run it. */
static bool runs_here(const struct image_question *q, const struct settings *s,
		      struct image_wish *w)
{
	CLEANUP_ARENA struct arena arena = { .max = 1u << 20 };
	CLEANUP_JSON json *document = NULL;
	struct spec spec;
	struct can_run can = { .settings = s, .spec = &spec };
	struct err ignored;
	bool yes = true;

	if (!w->own || read_spec(q, w, &arena, &document, &spec, &ignored) < 0 ||
	    can_run(&can, &yes, &ignored) < 0 || yes)
		return true;
	w->code = can.code;
	(void)str_copy(w->line, sizeof(w->line), can.line);
	return false;
}

/* As at Create, where the pull comes after the settings have been asked (choose.c). */
static void judge(const struct image_question *q, struct image_wish *w)
{
	struct settings s;

	if (!read_settings(q->config_path, &s, w))
		return;
	s.wanted = *q->wanted;
	s.wanted_by_pod = true;
	if (!w->chosen)
		refuse(q, CAUSE_PLATFORM_UNAVAILABLE, &s, w);
	else if (w->chosen->here)
		return;
	else if (!runs_here(q, &s, w))
		return;
	else if (s.pull_never)
		refuse(q, CAUSE_PLATFORM_NEVER, &s, w);
	else if (s.pull_max_mb && w->bytes > s.pull_max_mb * 1000000)
		refuse(q, CAUSE_PLATFORM_PULL_TOO_LARGE, &s, w);
	else
		w->pulled = true;
}

void image_wish_read(const struct image_question *q, struct image_wish *ret)
{
	*ret = (struct image_wish){ .code = NULL };
	if (q->choice >= 0)
		ret->own = &q->members->list[q->choice];
	/* A single manifest is taken as it is, and compared with what is asked for afterwards. */
	ret->chosen = q->members->index ? image_choice(q->members, q->wanted) : ret->own;
	if (ret->chosen && !ret->chosen->here)
		ret->bytes = size_of(q->store, ret->chosen);
	if (ret->chosen && ret->own && ret->chosen != ret->own && ret->chosen->here)
		compare(q->store, ret);
	judge(q, ret);
}
