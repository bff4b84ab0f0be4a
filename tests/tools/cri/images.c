/* SPDX-License-Identifier: Apache-2.0 */
/* Images and the runtime's version. */
#include <stdio.h>
#include <string.h>

#include "tests/tools/cri/cri.h"

static int version_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__Pair request = CRI__PAIR__INIT; /* VersionRequest: 1 version */
	const Cri__VersionReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.key = pb("v1");
	reply = cri_call(&cri, "RuntimeService/Version", &request.base,
			 &cri__version_reply__descriptor);
	if (!reply)
		return CLI_FAILED;
	printf("%s %s (CRI %s)\n", reply->runtime_name, reply->runtime_version,
	       reply->runtime_api_version);
	return CLI_DONE;
}

const struct cli_command cmd_version = {
	.name = "version",
	.operands = "",
	.summary = "print the runtime's name and version",
	.run = version_run,
};

static int pull_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__PullRequest request = CRI__PULL_REQUEST__INIT;
	Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
	Cri__Auth auth = CRI__AUTH__INIT;
	const char *secret = NULL;
	const struct cli_option options[] = {
		{ "auth", 0, CLI_STRING, &secret, "USER:PASSWORD",
		  "of the pod's imagePullSecrets" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	const Cri__IdReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	if (secret) {
		auth.password = cri_text(&cri, "%s", secret);
		auth.username = strsep(&auth.password, ":");
		if (!auth.password)
			return cli_usage(self, "--auth is USER:PASSWORD");
		request.auth = &auth;
	}
	image.image = operands.v[0];
	request.image = &image;
	reply = cri_call(&cri, "ImageService/PullImage", &request.base, &cri__id_reply__descriptor);
	if (!reply)
		return CLI_FAILED;
	puts(reply->id);
	return CLI_DONE;
}

const struct cli_command cmd_pull = {
	.name = "pull",
	.operands = "IMAGE",
	.summary = "pull an image and print its id",
	.run = pull_run,
};

const Cri__Image *cri_image(struct cri *cri, const char *name)
{
	Cri__ImageRequest request = CRI__IMAGE_REQUEST__INIT;
	Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
	const Cri__ImageStatusReply *reply;

	image.image = pb(name);
	request.image = &image;
	reply = cri_call(cri, "ImageService/ImageStatus", &request.base,
			 &cri__image_status_reply__descriptor);
	if (!reply || reply->image)
		return reply ? reply->image : NULL;
	fprintf(stderr, "cri-client: the runtime has no image %s\n", name);
	return NULL;
}

static void print_image(const Cri__Image *image)
{
	printf("%s %llu", image->id, (unsigned long long)image->size);
	for (size_t i = 0; i < image->n_tags; i++)
		printf(" %s", image->tags[i]);
	for (size_t i = 0; i < image->n_digests; i++)
		printf(" %s", image->digests[i]);
	putchar('\n');
}

static int image_run(const struct cli_command *self, int argc, char **argv)
{
	const Cri__Image *image;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri) || !(image = cri_image(&cri, operands.v[0])))
		return CLI_FAILED;
	print_image(image);
	return CLI_DONE;
}

const struct cli_command cmd_image = {
	.name = "image",
	.operands = "IMAGE",
	.summary = "print id, size and names of an image; fails when it is not there",
	.run = image_run,
};

static int images_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__Empty request = CRI__EMPTY__INIT;
	const Cri__ListImagesReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	reply = cri_call(&cri, "ImageService/ListImages", &request.base,
			 &cri__list_images_reply__descriptor);
	for (size_t i = 0; reply && i < reply->n_images; i++)
		print_image(reply->images[i]);
	return reply ? CLI_DONE : CLI_FAILED;
}

const struct cli_command cmd_images = {
	.name = "images",
	.operands = "",
	.summary = "list images: id, size, names",
	.run = images_run,
};

static int rmi_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__ImageRequest request = CRI__IMAGE_REQUEST__INIT;
	Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	image.image = operands.v[0];
	request.image = &image;
	return cri_call(&cri, "ImageService/RemoveImage", &request.base, &cri__empty__descriptor)
		       ? CLI_DONE
		       : CLI_FAILED;
}

const struct cli_command cmd_rmi = {
	.name = "rmi",
	.operands = "IMAGE",
	.summary = "remove an image",
	.run = rmi_run,
};
