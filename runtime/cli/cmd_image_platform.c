/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/distribution.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/image_platform.h"

#define DEFAULT_NAMESPACE "k8s.io"

/* A shim waits for the answer while it starts a pod; a person can wait longer, and may ask to. */
#define DEFAULT_TIMEOUT_MS 400

struct request {
	const char *socket, *distribution, *namespace, *image, *container;
	uint64_t timeout_ms;
	bool json, machine;
};

struct answer {
	struct image_platform list[MANIFESTS_MAX];
	size_t n;
	bool connected; /* containerd was reached, whatever came of it */
};

static int look_up(const struct request *rq, struct answer *ret, struct err *err)
{
	const struct rpc_target target = {
		.socket = rq->socket,
		.namespace = rq->namespace,
		.timeout_ms = (unsigned int)rq->timeout_ms,
	};
	struct containerd_store containerd;
	struct rpc *rpc;

	/* Never closed: the core takes longer to close than to ask, and main() ends with _exit().
	 */
	if (rpc_open(&target, &rpc, err) < 0)
		return -1;
	ret->connected = true;
	containerd_store_init(&containerd, rpc);
	if (rq->image)
		return image_platforms_of_name(&containerd.store, rq->image, ret->list, &ret->n,
					       err);
	ret->n = 1;
	return image_platform_of_container(&containerd.store, rq->container, ret->list, err);
}

/* --- output ---------------------------------------------------------------------------------- */

static void print_person(const struct answer *a)
{
	for (size_t i = 0; i < a->n; i++)
		printf("%-16s %s\n%-16s config %s\n", a->list[i].platform, a->list[i].image, "",
		       a->list[i].ref);
}

static void print_json(const struct answer *a)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < a->n; i++) {
		const struct image_platform *p = &a->list[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "platform", json_object_new_string(p->platform));
		json_object_object_add(o, "image", json_object_new_string(p->image));
		json_object_object_add(o, "ref", json_object_new_string(p->ref));
		json_object_array_add(list, o);
	}
	puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}

/* One write, so that whoever reads the pipe sees an answer whole or not at all. */
static int print_machine(const struct answer *a, const struct err *err)
{
	char text[4096];

	if (err)
		str_fmt(text, sizeof(text), "error=%s\n", err->text);
	else
		str_fmt(text, sizeof(text), "platform=%s\nimage=%s\nref=%s\n", a->list[0].platform,
			a->list[0].image, a->list[0].ref);
	if (fd_write_all(STDOUT_FILENO, text, strlen(text)) < 0 || err)
		return CLI_FAILED;
	return CLI_DONE;
}

/* What failed and why is in the error; what to do depends on whether containerd answered. */
static const char *advice(const struct request *rq, const struct err *err, bool connected)
{
	if (err->code == ERR_TIMEOUT)
		return ". --timeout gives it longer.";
	if (!connected)
		return ". Is containerd running, and is --address its socket?";
	if (err->code != ERR_NOT_FOUND)
		return "";
	return rq->image ? ". \"ctr -n NAMESPACE images ls -q\" lists the names there are."
			 : ". \"ctr -n NAMESPACE containers ls\" lists what there is; --namespace "
			   "chooses another one.";
}

static int report(const struct cli_command *self, const struct request *rq, const struct answer *a,
		  const struct err *err)
{
	if (rq->machine)
		return print_machine(a, err);
	if (err)
		return cli_fail(self, "%s%s", err->text, advice(rq, err, a && a->connected));
	if (rq->json)
		print_json(a);
	else
		print_person(a);
	return CLI_DONE;
}

static int run_image_platform(const struct cli_command *self, int argc, char **argv)
{
	struct request rq = {
		.namespace = DEFAULT_NAMESPACE,
		.timeout_ms = DEFAULT_TIMEOUT_MS,
	};
	const struct cli_option options[] = {
		INSTALLATION_OPTIONS(rq.socket, rq.distribution),
		{ "namespace", 'n', CLI_STRING, &rq.namespace, "NS",
		  "containerd namespace (" DEFAULT_NAMESPACE ")" },
		{ "image", 'i', CLI_STRING, &rq.image, "REF",
		  "ask about an image by its full name instead" },
		{ "timeout", 't', CLI_NUMBER, &rq.timeout_ms, "MS",
		  "give up after this many milliseconds (400)" },
		{ "json", 0, CLI_FLAG, &rq.json, NULL, "print JSON" },
		{ "machine", 0, CLI_FLAG, &rq.machine, NULL,
		  "print key=value lines, errors too, on stdout" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	struct err err = ERR_INIT;
	struct cli_operands operands;
	CLEANUP_FREE struct answer *answer = NULL; /* 180 KB: not for the stack */
	int status;

	if (!cli_parse(self, options, 0, 1, argc, argv, &operands, &status))
		return status;
	if ((operands.n == 1) == (rq.image != NULL))
		return cli_usage(self, "give either a container id or --image REF");
	if (rq.timeout_ms < 1 || rq.timeout_ms > 600000)
		return cli_usage(self, "--timeout is between 1 and 600000 milliseconds");
	rq.container = operands.n ? operands.v[0] : NULL;
	if (installation_socket(rq.distribution, rq.socket, &rq.socket, &err) < 0)
		return cli_usage(self, "%s", err.text);
	answer = calloc(1, sizeof(*answer));
	if (!answer)
		err_set(&err, ERR_NOMEM, "no memory for an answer");
	else if (look_up(&rq, answer, &err) == 0)
		return report(self, &rq, answer, NULL);
	return report(self, &rq, answer, &err);
}

const struct cli_command cmd_image_platform = {
	.name = "image-platform",
	.operands = "CONTAINER-ID | --image REF",
	.summary = "say which platform an image was built for",
	.text = "A container's image is the one CRI recorded for it; without such a record its "
		"layers\n"
		"are compared with every manifest behind its image name. --image lists the "
		"platforms of\n"
		"that name that are on this node.\n"
		"\n"
		"Examples:\n"
		"  crossarch image-platform 3f2a9c...\n"
		"  crossarch image-platform --namespace default --image "
		"docker.io/library/busybox:latest\n",
	.run = run_image_platform,
};
