/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/puller.h"

#include <string.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/containerd/pull_failure.h"

#define CONNECT_MS 10000

int puller_open(const struct cli_command *self, const struct puller_options *o, struct puller *ret)
{
	struct rpc_target target = {
		.namespace = "k8s.io",
		.timeout_ms = CONNECT_MS,
	};
	struct err err = ERR_INIT;
	struct rpc *rpc;

	if (!o->platform)
		return cli_usage(self,
				 "for which platform? --platform linux/arm64, or linux/amd64");
	if (platform_parse(o->platform, &ret->wanted, &err) < 0)
		return cli_usage(self, "--platform: %s", err.text);
	if (o->credentials && access(o->credentials, R_OK) < 0)
		return cli_fail(self, "credentials %s: cannot be read", o->credentials);
	if (installation_socket(o->distribution, o->socket, &target.socket, &err) < 0)
		return cli_usage(self, "%s", err.text);
	if (rpc_open(&target, &rpc, &err) < 0)
		return cli_fail(self,
				"%s. Is containerd running, is --address its socket, and are you "
				"root?",
				err.text);
	image_puller_init(&ret->images, rpc);
	ret->images.handler = o->handler;
	ret->images.fresh = o->fresh;
	ret->files[0] = o->credentials;
	ret->files[1] = NULL;
	if (o->credentials)
		ret->images.credentials_files = ret->files;
	return CLI_DONE;
}

/* A pod that names the digest is pulled by the kubelet, with the pod's own secret. */
static void add_digest(char *advice, size_t size, const struct image_found *found)
{
	char image[REFERENCE_MAX];
	size_t at = strlen(advice);

	image_reference_format(&found->reference, image);
	(void)str_fmt(advice + at, size - at, " Or name %s in a pod that has an imagePullSecret.",
		      image);
}

int puller_fail(const struct cli_command *self, const char *name, const struct image_found *found,
		const struct err *err)
{
	/* What is ours to say needs no advice; the rest is containerd's text. */
	bool ours = err->code == ERR_PRECONDITION || err->code == ERR_UNSUPPORTED ||
		    err->code == ERR_INVALID;
	enum pull_failure failure = pull_failure_of(err->text);
	char advice[REFERENCE_MAX + 400] = "";

	if (!ours)
		(void)str_copy(advice, sizeof(advice), pull_failure_advice(failure));
	if (!ours && failure == PULL_DENIED && found && found->chosen)
		add_digest(advice, sizeof(advice), found);
	return cli_fail(self, "%s: %s%s%s", name, err->text, *advice ? ". " : "", advice);
}
