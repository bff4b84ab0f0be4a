/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/pod_images.h"

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/cli/yaml_scan.h"

/* The longest text that can be a reference at all. */
#define IMAGE_MAX 1024

struct rewriting {
	const char *text;
	size_t copied; /* of the text, into @out */
	struct buf *out;
	size_t n;
	pod_images_replace *replace;
	void *ctx;
};

/* The end of a path, innermost first; "" is an entry of a list. */
static bool ends_in(const struct yaml_frame *path, size_t depth, const char *const *keys, size_t n)
{
	if (depth < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct yaml_frame *f = &path[depth - 1 - i];

		if (*keys[i] ? !yaml_is_key(f, keys[i]) : f->key != NULL)
			return false;
	}
	return true;
}

static bool is_image(const struct yaml_frame *path, size_t depth)
{
	static const char *const lists[] = { "containers", "initContainers",
					     "ephemeralContainers" };
	static const char *const volume[] = { "reference", "image", "", "volumes", "spec" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *const container[] = { "image", "", lists[i], "spec" };

		if (ends_in(path, depth, container, ARRAY_SIZE(container)))
			return true;
	}
	return ends_in(path, depth, volume, ARRAY_SIZE(volume));
}

static int on_scalar(void *ctx, const struct yaml_frame *path, size_t depth,
		     const struct yaml_scalar *scalar, struct err *err)
{
	struct rewriting *r = ctx;
	size_t n = scalar->end - scalar->start;
	char image[IMAGE_MAX];
	const char *other;

	if (!is_image(path, depth) || !n)
		return 0;
	if (!scalar->simple ||
	    !str_fmt(image, sizeof(image), "%.*s", (int)n, r->text + scalar->start))
		return err_set(err, ERR_UNSUPPORTED,
			       "line %zu: an image of several lines or with escapes", scalar->line);
	if (r->replace(r->ctx, image, &other, err) < 0)
		return err_in(err, "line %zu", scalar->line);
	r->n++;
	if (buf_add(r->out, r->text + r->copied, scalar->start - r->copied, err) < 0 ||
	    buf_add(r->out, other, strlen(other), err) < 0)
		return -1;
	r->copied = scalar->end;
	return 0;
}

int pod_images_rewrite(const char *text, size_t n, pod_images_replace *replace, void *ctx,
		       struct buf *out, size_t *ret_n, struct err *err)
{
	struct rewriting r = { .text = text, .out = out, .replace = replace, .ctx = ctx };

	if (yaml_scan(text, n, on_scalar, &r, err) < 0)
		return -1;
	*ret_n = r.n;
	return buf_add(out, text + r.copied, n - r.copied, err);
}
