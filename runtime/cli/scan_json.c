/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/output.h"
#include "runtime/cli/scan_display.h"
#include "runtime/cli/scan_summary.h"
#include "runtime/cli/verdict.h"
#include "runtime/cli/wish_display.h"

static json *count_json(const struct scan_count *c)
{
	json *o = json_object_new_object();

	json_put_text(o, "platform", c->platform);
	json_put_number(o, "images", (int64_t)c->images);
	json_put_number(o, "containers", (int64_t)c->containers);
	json_put_number(o, "native", (int64_t)c->native);
	json_put_number(o, "emulated", (int64_t)c->emulated);
	json_put_number(o, "refused", (int64_t)c->refused);
	json_put_number(o, "not_judged", (int64_t)c->not_judged);
	json_put_number(o, "mislabelled", (int64_t)c->mislabelled);
	return o;
}

static json *summary_json(const struct scan *s)
{
	json *o = json_object_new_object(), *list = json_object_new_array();
	struct scan_summary sum;

	scan_summary_make(s, &sum);
	json_put_number(o, "images", (int64_t)s->n_images);
	json_put_number(o, "containers", (int64_t)s->n_containers);
	json_put_number(o, "refused", (int64_t)sum.refused);
	json_put_number(o, "mislabelled", (int64_t)sum.mislabelled);
	json_put_number(o, "unreadable", (int64_t)sum.unread);
	for (size_t i = 0; i < sum.n; i++)
		json_object_array_add(list, count_json(&sum.platforms[i]));
	json_object_object_add(o, "platforms", list);
	return o;
}

static json *image_json(const struct scan_image *image)
{
	json *o = json_object_new_object(), *names = json_object_new_array();
	json *list = json_object_new_array();

	json_put_text(o, "name", scan_image_name(image));
	json_put_text(o, "namespace", *image->space ? image->space : NULL);
	for (const char **name = image->names; *name; name++)
		json_object_array_add(names, json_object_new_string(*name));
	json_object_object_add(o, "names", names);
	json_put_text(o, "digest", image->digest);
	json_put_bool(o, "index", image->members.index);
	json_put_text(o, "error", *image->error ? image->error : NULL);
	for (size_t i = 0; i < image->members.n; i++) {
		json *v = image_verdict_json(&image->variants[i].verdict);

		json_put_bool(v, "unpacked", image->variants[i].unpacked);
		json_put_bool(v, "unreadable", image->variants[i].unreadable);
		json_put_bool(v, "mislabelled", scan_variant_lies(&image->variants[i]));
		json_object_array_add(list, v);
	}
	json_object_object_add(o, "platforms", list);
	return o;
}

static json *container_json(const struct scan_container *c)
{
	const struct report *r = c->verdict.report;
	json *o = r ? verdict_json(r) : json_object_new_object();

	json_put_text(o, "id", c->c->entry.id);
	json_put_text(o, "namespace", c->c->space->name);
	json_put_text(o, "pod_namespace", *c->c->pod_namespace ? c->c->pod_namespace : NULL);
	json_put_text(o, "pod", *c->c->pod ? c->c->pod : NULL);
	json_put_text(o, "container", *c->c->name ? c->c->name : NULL);
	json_put_text(o, "runtime", c->c->entry.runtime);
	json_put_text(o, "image", *c->c->entry.image ? c->c->entry.image : NULL);
	json_put_text(o, "platform", *c->verdict.platform ? c->verdict.platform : NULL);
	json_put_bool(o, "mislabelled", scan_container_lies(c));
	if (!r)
		json_put_text(o, "unchecked", c->verdict.why);
	return o;
}

json *scan_json(const struct scan *s)
{
	json *o = json_object_new_object(), *images = json_object_new_array();
	json *containers = json_object_new_array();

	json_object_object_add(o, "summary", summary_json(s));
	for (size_t i = 0; i < s->n_images; i++)
		json_object_array_add(images, image_json(&s->images[i]));
	for (size_t i = 0; i < s->n_containers; i++)
		json_object_array_add(containers, container_json(&s->containers[i]));
	json_object_object_add(o, "images", images);
	json_object_object_add(o, "containers", containers);
	return o;
}
