/* SPDX-License-Identifier: Apache-2.0 */
/* What the kubelet learns of the runtime's handlers before it admits a pod to one. */
#include <stdio.h>

#include "tests/tools/cri/cri.h"

static const char *yes_or_no(bool b)
{
	return b ? "yes" : "no";
}

static void print_handler(const Cri__Handler *h)
{
	if (!*h->name) /* the default one, which is there under its own name as well */
		return;
	printf("%s userns=%s rro=%s\n", h->name,
	       yes_or_no(h->features && h->features->user_namespaces),
	       yes_or_no(h->features && h->features->recursive_read_only_mounts));
}

static int handlers_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__Empty request = CRI__EMPTY__INIT;
	const Cri__StatusReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	reply = cri_call(&cri, "RuntimeService/Status", &request.base,
			 &cri__status_reply__descriptor);
	for (size_t i = 0; reply && i < reply->n_handlers; i++)
		print_handler(reply->handlers[i]);
	return reply ? CLI_DONE : CLI_FAILED;
}

const struct cli_command cmd_handlers = {
	.name = "handlers",
	.operands = "",
	.summary = "list the runtime handlers with the features that the kubelet asks for",
	.text = "containerd 1.6 and 1.7 list none.\n",
	.run = handlers_run,
};
