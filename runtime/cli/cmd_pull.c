/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "runtime/base/str.h"
#include "runtime/choose/pull_count.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/image_check.h"
#include "runtime/cli/pull_display.h"
#include "runtime/cli/puller.h"
#include "runtime/host/host.h"

struct pulling {
	const struct cli_command *self;
	struct puller puller;
	struct host host;
	bool quiet;
};

/* An index that CRI takes nothing from: its tag cannot be pulled here, so it is given away. */
static int tag_if_foreign(struct pulling *p, const struct image_reference *name,
			  const struct image_found *image, struct err *err)
{
	bool seen;

	if (*name->digest || !image->members.index ||
	    cri_choice(&image->members, p->host.arch) >= 0)
		return 0;
	if (image_tag(&p->puller.images, name, image, &seen, err) < 0)
		return -1;
	if (!p->quiet)
		printf("%s:%s has nothing for this node's own platform, so that name stands for "
		       "%s here, for pods whose imagePullPolicy is not Always%s\n",
		       name->written, name->tag, image->chosen->platform,
		       seen ? "" : "; pods find it within five minutes");
	return 0;
}

static int bring(struct pulling *p, const struct image_reference *name,
		 const struct image_found *image, const char *written, struct err *err)
{
	char what[REFERENCE_MAX + PLATFORM_TEXT], pulled[REFERENCE_MAX];
	struct pull_display display;
	bool was_here;

	(void)str_fmt(what, sizeof(what), "%s of %s", image->chosen->platform, written);
	image_reference_format(&image->reference, pulled);
	display = pull_display_of(what, p->quiet);
	if (image_pull(&p->puller.images, image, pull_display_progress, &display, &was_here, err) <
	    0) {
		pull_display_end(&display);
		pull_count(image, false);
		return -1;
	}
	pull_display_end(&display);
	if (!was_here)
		pull_count(image, true);
	if (!p->quiet)
		printf("%s: %s, %s\n", what, was_here ? "already there" : "pulled", pulled);
	return tag_if_foreign(p, name, image, err);
}

static int pull_one(struct pulling *p, const char *written)
{
	CLEANUP_IMAGE_FOUND struct image_found image = { .chosen = NULL };
	struct image_reference name;
	struct err err = ERR_INIT;

	if (image_reference_parse(written, &name, &err) < 0 ||
	    image_find(&p->puller.images, &name, &p->puller.wanted, &image, &err) < 0 ||
	    bring(p, &name, &image, written, &err) < 0)
		return puller_fail(p->self, written, &image, &err);
	return CLI_DONE;
}

static int run_pull(const struct cli_command *self, int argc, char **argv)
{
	struct puller_options o = PULLER_OPTIONS_INIT;
	const struct cli_option options[] = {
		PULLER_OPTIONS(o),
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct pulling p = { .self = self };
	struct cli_operands operands;
	struct err err = ERR_INIT;
	int status;

	if (!cli_parse(self, options, 1, 1000, argc, argv, &operands, &status))
		return status;
	if (host_probe(&p.host, &err) < 0)
		return cli_fail(self, "%s", err.text);
	p.quiet = o.quiet;
	status = puller_open(self, &o, &p.puller);
	if (status != CLI_DONE)
		return status;
	for (size_t i = 0; i < operands.n; i++)
		if (pull_one(&p, operands.v[i]) != CLI_DONE)
			status = CLI_FAILED;
	return status;
}

const struct cli_command cmd_pull = {
	.name = "pull",
	.operands = "--platform P IMAGE...",
	.summary = "pull images for a platform that is not the node's",
	.text = "containerd's CRI pulls for the node's own platform. This brings the one that is "
		"asked for,\n"
		"through CRI as well, so with the node's mirrors and registry settings; the tag "
		"goes on\n"
		"standing for the node's own platform. Only where the image has nothing for that, "
		"the tag\n"
		"is given to what was pulled, since the kubelet could not pull it: so no pod of it "
		"may say\n"
		"imagePullPolicy: Always. The credentials are those of the node, as the kubelet "
		"reads them.\n"
		"What is there already is not pulled again, and an interrupted pull goes on, "
		"within "
		"half a\n"
		"day, where it stopped.\n"
		"\n"
		"Examples:\n"
		"  crossarch pull --platform linux/arm64 python:3.12\n"
		"  crossarch pull -p s390x registry.example/team/app:1 "
		"registry.example/team/db:2\n",
	.run = run_pull,
};
