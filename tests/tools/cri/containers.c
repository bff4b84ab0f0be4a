/* SPDX-License-Identifier: Apache-2.0 */
/* Containers after their creation: start, stop, remove, list, status, wait. */
#include <stdio.h>
#include <time.h>

#include "runtime/base/str.h"
#include "tests/tools/cri/cri.h"

static int start_run(const struct cli_command *self, int argc, char **argv)
{
	return cri_run_id(self, argc, argv, "RuntimeService/StartContainer");
}

static int rm_run(const struct cli_command *self, int argc, char **argv)
{
	return cri_run_id(self, argc, argv, "RuntimeService/RemoveContainer");
}

const struct cli_command cmd_start = {
	.name = "start",
	.operands = "CONTAINER",
	.summary = "start a container",
	.run = start_run,
};

const struct cli_command cmd_rm = {
	.name = "rm",
	.operands = "CONTAINER",
	.summary = "remove a container, by force if it runs",
	.run = rm_run,
};

static int stop_run(const struct cli_command *self, int argc, char **argv)
{
	uint64_t grace = 0;
	const struct cli_option options[] = {
		{ "grace", 'g', CLI_NUMBER, &grace, "SECONDS",
		  "time between SIGTERM and SIGKILL (0: SIGKILL at once)" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	Cri__StopRequest request = CRI__STOP_REQUEST__INIT;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.id = operands.v[0];
	request.timeout = (int64_t)grace;
	return cri_call(&cri, "RuntimeService/StopContainer", &request.base,
			&cri__empty__descriptor)
		       ? CLI_DONE
		       : CLI_FAILED;
}

const struct cli_command cmd_stop = {
	.name = "stop",
	.operands = "CONTAINER",
	.summary = "stop a container",
	.run = stop_run,
};

/* --- checkpoint ---------------------------------------------------------------------------- */

static int checkpoint_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__CheckpointRequest request = CRI__CHECKPOINT_REQUEST__INIT;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 2, 2, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	request.id = pb(operands.v[0]);
	request.location = pb(operands.v[1]);
	return cri_call(&cri, "RuntimeService/CheckpointContainer", &request.base,
			&cri__empty__descriptor)
		       ? CLI_DONE
		       : CLI_FAILED;
}

const struct cli_command cmd_checkpoint = {
	.name = "checkpoint",
	.operands = "CONTAINER FILE",
	.summary =
		"write a checkpoint of a running container into a file, as the kubelet asks for it",
	.run = checkpoint_run,
};

/* --- status -------------------------------------------------------------------------------- */

static const char *state_name(Cri__ContainerState state)
{
	static const char *const names[] = {
		[CRI__CONTAINER_STATE__CREATED] = "Created",
		[CRI__CONTAINER_STATE__RUNNING] = "Running",
		[CRI__CONTAINER_STATE__EXITED] = "Exited",
	};

	return (size_t)state < ARRAY_SIZE(names) ? names[state] : "Unknown";
}

const Cri__ContainerStatusReply *cri_container_status(struct cri *cri, const char *id)
{
	Cri__IdRequest request = CRI__ID_REQUEST__INIT;
	const Cri__ContainerStatusReply *reply;

	request.id = pb(id);
	request.verbose = true;
	reply = cri_call(cri, "RuntimeService/ContainerStatus", &request.base,
			 &cri__container_status_reply__descriptor);
	if (!reply || (reply->status && reply->status->metadata))
		return reply;
	fprintf(stderr, "cri-client: the runtime answers without a status of %s\n", id);
	return NULL;
}

struct field {
	const char *name, *value;
};

#define FIELDS 14

static void status_fields(struct cri *cri, const Cri__ContainerStatusReply *reply,
			  struct field f[static FIELDS])
{
	const Cri__ContainerStatus *s = reply->status;
	const char *info = cri_info(reply->info, reply->n_info);
	size_t n = 0;

	f[n++] = (struct field){ "id", s->id };
	f[n++] = (struct field){ "name", s->metadata->name };
	f[n++] = (struct field){ "state", state_name(s->state) };
	f[n++] = (struct field){ "exit_code", cri_text(cri, "%d", s->exit_code) };
	f[n++] = (struct field){ "reason", s->reason };
	f[n++] = (struct field){ "message", s->message };
	f[n++] = (struct field){ "pid", cri_json_at(cri, info, "pid") };
	f[n++] = (struct field){ "created_at", cri_text(cri, "%lld", (long long)s->created_at) };
	f[n++] = (struct field){ "started_at", cri_text(cri, "%lld", (long long)s->started_at) };
	f[n++] = (struct field){ "finished_at", cri_text(cri, "%lld", (long long)s->finished_at) };
	f[n++] = (struct field){ "image", s->image ? s->image->image : "" };
	f[n++] = (struct field){ "image_ref", s->image_ref };
	f[n++] = (struct field){ "log_path", s->log_path };
	f[n++] = (struct field){ "runtime", cri_json_at(cri, info, "runtimeType") };
	ASSERT(n == FIELDS);
}

/* One line per field, whatever the value holds. */
static void print_field(const struct field *f)
{
	printf("%s=", f->name);
	for (const char *p = f->value; *p; p++) {
		if (*p == '\n')
			fputs("\\n", stdout);
		else
			putchar(*p);
	}
	putchar('\n');
}

static int status_run(const struct cli_command *self, int argc, char **argv)
{
	const char *only = NULL;
	const struct cli_option options[] = {
		{ "field", 'f', CLI_STRING, &only, "NAME",
		  "print the value of this one, as it is" },
		{ NULL, 0, CLI_FLAG, NULL, NULL, NULL },
	};
	const Cri__ContainerStatusReply *reply;
	struct field fields[FIELDS];
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri) || !(reply = cri_container_status(&cri, operands.v[0])))
		return CLI_FAILED;
	status_fields(&cri, reply, fields);
	for (size_t i = 0; i < FIELDS; i++) {
		if (!only) {
			print_field(&fields[i]);
		} else if (str_eq(only, fields[i].name)) {
			puts(fields[i].value);
			return CLI_DONE;
		}
	}
	return only ? cli_usage(self, "no field \"%s\"", only) : CLI_DONE;
}

const struct cli_command cmd_status = {
	.name = "status",
	.operands = "CONTAINER",
	.summary = "print the status of a container as key=value lines",
	.run = status_run,
};

/* --- wait ---------------------------------------------------------------------------------- */

#define POLL_NS 20000000L

static int wait_run(const struct cli_command *self, int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	const Cri__ContainerStatusReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 1, 1, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	while ((reply = cri_container_status(&cri, operands.v[0]))) {
		if (reply->status->state == CRI__CONTAINER_STATE__EXITED) {
			printf("%d\n", reply->status->exit_code);
			return CLI_DONE;
		}
		arena_deinit(&cri.arena);
		nanosleep(&pause, NULL);
	}
	return CLI_FAILED;
}

const struct cli_command cmd_wait = {
	.name = "wait",
	.operands = "CONTAINER",
	.summary = "wait until a container has exited and print its exit code",
	.text = "Fails after the global --timeout.\n",
	.run = wait_run,
};

/* --- list ---------------------------------------------------------------------------------- */

static int ps_run(const struct cli_command *self, int argc, char **argv)
{
	Cri__Empty request = CRI__EMPTY__INIT;
	const Cri__ListContainersReply *reply;
	struct cli_operands operands;
	struct cri cri;
	int status;

	if (!cli_parse(self, cri_no_options, 0, 0, argc, argv, &operands, &status))
		return status;
	if (!cri_open(&cri))
		return CLI_FAILED;
	reply = cri_call(&cri, "RuntimeService/ListContainers", &request.base,
			 &cri__list_containers_reply__descriptor);
	for (size_t i = 0; reply && i < reply->n_containers; i++) {
		const Cri__Container *c = reply->containers[i];

		printf("%s %-8s %s pod=%.13s %s\n", c->id, state_name(c->state),
		       c->metadata ? c->metadata->name : "", c->pod_id,
		       c->image ? c->image->image : "");
	}
	return reply ? CLI_DONE : CLI_FAILED;
}

const struct cli_command cmd_ps = {
	.name = "ps",
	.operands = "",
	.summary = "list containers in every state",
	.run = ps_run,
};
