/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/pod_images.h"
#include "runtime/cli/puller.h"

/* The largest manifest, and what it may become. */
#define MANIFEST_MAX (8u << 20)

/* A name that was asked for before is not asked for again. */
struct resolved {
	char *name, *text;
};

struct resolving {
	const struct cli_command *self;
	struct puller puller;
	struct resolved *list; /* owned, with its strings */
	size_t n;
	bool failed;
};

static void resolving_deinit(struct resolving *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->list[i].name);
		free(r->list[i].text);
	}
	free(r->list);
}
#define CLEANUP_RESOLVING CLEANUP(resolving_deinit)

/* The repository stays as it was written. */
static int resolve(struct resolving *r, const char *name, char ret[static REFERENCE_MAX],
		   struct err *err)
{
	CLEANUP_IMAGE_FOUND struct image_found image = { .chosen = NULL };
	struct image_reference reference;

	if (image_reference_parse(name, &reference, err) < 0 ||
	    image_find(&r->puller.images, &reference, &r->puller.wanted, &image, err) < 0)
		return -1;
	(void)str_fmt(ret, REFERENCE_MAX, "%s@%s", reference.written, image.chosen->manifest);
	return 0;
}

static int remember(struct resolving *r, const char *name, const char *text, struct err *err)
{
	struct resolved *list = reallocarray(r->list, r->n + 1, sizeof(*list));
	struct resolved entry = { NULL, NULL };

	if (list) {
		r->list = list;
		entry = (struct resolved){ strdup(name), strdup(text) };
	}
	if (!entry.name || !entry.text) {
		free(entry.name);
		free(entry.text);
		return err_set(err, ERR_NOMEM, "no memory for a name");
	}
	r->list[r->n++] = entry;
	return 0;
}

static const char *remembered(const struct resolving *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->list[i].name, name))
			return r->list[i].text;
	return NULL;
}

/*
 * The answer for @name. One that has none is said at once and stands for itself, so that all of
 * them are said.
 */
static int answer(struct resolving *r, const char *name, const char **ret, struct err *err)
{
	char text[REFERENCE_MAX];
	struct err why = ERR_INIT;
	bool known;

	*ret = remembered(r, name);
	if (*ret)
		return 0;
	known = resolve(r, name, text, &why) == 0;
	if (!known) {
		(void)puller_fail(r->self, name, NULL, &why);
		r->failed = true;
	}
	if (remember(r, name, known ? text : name, err) < 0)
		return -1;
	*ret = remembered(r, name);
	return 0;
}

static int replace(void *ctx, const char *image, const char **ret, struct err *err)
{
	return answer(ctx, image, ret, err);
}

static int read_manifest(const char *file, struct buf *ret, struct err *err)
{
	if (str_eq(file, "-"))
		return fd_read_all(STDIN_FILENO, "standard input", ret, err);
	return file_read(AT_FDCWD, file, ret, err);
}

static int resolve_file(struct resolving *r, const char *file, bool quiet)
{
	CLEANUP_BUF struct buf text = BUF_INIT(MANIFEST_MAX);
	CLEANUP_BUF struct buf out = BUF_INIT(2 * MANIFEST_MAX);
	const char *name = str_eq(file, "-") ? "standard input" : file;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (read_manifest(file, &text, &err) < 0)
		return cli_fail(r->self, "%s", err.text);
	if (pod_images_rewrite(buf_str(&text), text.len, replace, r, &out, &n, &err) < 0)
		return cli_fail(r->self, "%s: %s", name, err.text);
	if (r->failed)
		return CLI_FAILED;
	if (!n)
		return cli_fail(r->self, "%s: there is no image of a pod in it", name);
	if (!quiet && fwrite(out.data, 1, out.len, stdout) != out.len)
		return cli_fail(r->self, "the output cannot be written");
	return CLI_DONE;
}

static int resolve_names(struct resolving *r, const struct cli_operands *operands, bool quiet)
{
	int status = CLI_DONE;

	for (size_t i = 0; i < operands->n; i++) {
		char text[REFERENCE_MAX];
		struct err err = ERR_INIT;

		if (resolve(r, operands->v[i], text, &err) < 0)
			status = puller_fail(r->self, operands->v[i], NULL, &err);
		else if (!quiet)
			puts(text);
	}
	return status;
}

static int run_resolve(const struct cli_command *self, int argc, char **argv)
{
	struct puller_options o = PULLER_OPTIONS_INIT;
	const char *file = NULL;
	const struct cli_option options[] = {
		{ "file", 'f', CLI_STRING, &file, "FILE",
		  "rewrite the images of a manifest; - is standard input" },
		PULLER_OPTIONS(o),
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	CLEANUP_RESOLVING struct resolving r = { .self = self };
	struct cli_operands operands;
	int status;

	if (!cli_parse(self, options, 0, 1000, argc, argv, &operands, &status))
		return status;
	if (file && operands.n)
		return cli_usage(self, "give either images or --file");
	if (!file && !operands.n)
		file = "-";
	status = puller_open(self, &o, &r.puller);
	if (status != CLI_DONE)
		return status;
	return file ? resolve_file(&r, file, o.quiet) : resolve_names(&r, &operands, o.quiet);
}

const struct cli_command cmd_resolve = {
	.name = "resolve",
	.operands = "--platform P [IMAGE... | -f FILE]",
	.summary = "print or write the digest of one platform for the names of images",
	.text = "A pod that names its image by the digest of one platform runs that platform on "
		"any node,\n"
		"pulled with the pod's own secrets. Images are printed one a line. In a manifest "
		"(standard\n"
		"input, or FILE; YAML or JSON, any number of documents) the images of containers, "
		"init and\n"
		"ephemeral containers and image volumes are replaced; every other byte stays. When "
		"one has\n"
		"no such platform, nothing is printed.\n"
		"\n"
		"What containerd knows is looked up there; for the rest it is told to pull the "
		"image, and\n"
		"stopped once it has the list of platforms. A small image may be whole by then and "
		"stay.\n"
		"\n"
		"Examples:\n"
		"  crossarch resolve --platform linux/arm64 python:3.12\n"
		"  crossarch resolve --platform linux/arm64 <pod.yaml | kubectl apply -f -\n",
	.run = run_resolve,
};
